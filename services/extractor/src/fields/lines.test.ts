import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fieldDefinitionSchema } from '@pipeline/contracts';
import { withoutDenied } from '@pipeline/evidence';
import { judgeAnswer } from './answers.ts';
import { sourcesOf } from './evidence.ts';
import { createLines } from './lines.ts';
import { areWordsSaid } from './words-said.ts';

const WORDS =
  'the heater in kitchen does not work leaking leak leaks three rooms 3 15 five Haifa בחיפה חיפה לא גרה ב־חיפה 東京 no vivo en';
const text = fc
  .array(fc.constantFrom(...WORDS.split(' ')), { minLength: 1, maxLength: 6 })
  .chain((words) => fc.constantFrom(words.join(' '), words.join(', ')));

describe('the lines of a text', () => {
  test('say what one of them says, whatever they are asked for and in whatever order', () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 8 }), fc.array(text, { maxLength: 6 }), (texts, values) => {
        const lines = createLines(texts);
        for (const value of values) {
          expect(lines.name(value)).toBe(texts.some((line) => areWordsSaid(value, line)));
          expect(lines.say(value)).toBe(texts.some((line) => areWordsSaid(value, withoutDenied(line, value))));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('say no number that they deny', () => {
    const lines = createLines(['three rooms, not five', 'on the second floor', 'not 15']);
    expect([3, 5, 15, 7].map(lines.sayNumber)).toEqual([true, false, false, false]);
  });
});

describe('a list of fifty items in a call of an hour', () => {
  const spoken =
    'the heater in the kitchen of our house at the river does not work and nobody came to look at it on Tuesday';
  const items = Array.from({ length: 50 }, (_item, at) => `valve ${String.fromCodePoint(97 + (at % 26))}${at}x`);
  const transcript = [...Array.from({ length: 400 }, (_line, at) => `${spoken} ${at}`), items.join(' and ')]
    .map((line, at) => `${at % 2 === 0 ? 'caller' : 'agent'}: ${line}`)
    .join('\n');
  const field = fieldDefinitionSchema.parse({ key: 'parts', type: 'list', description: 'Parts.', from: 'transcript' });

  const cpuOf = (value: readonly string[]): number => {
    const call = { sources: sourcesOf({ summary: '', transcript }), country: undefined, today: '2025-12-09' };
    const before = process.threadCpuUsage();
    const quote = 'the heater in the kitchen';
    expect(judgeAnswer(field, { value, status: 'found', quote }, call)).toMatchObject({ status: 'found', value });
    return process.threadCpuUsage(before).user;
  };

  test('is judged in little more time than one item takes: the lines are read once', () => {
    cpuOf(items);
    const one = Math.min(...[1, 2, 3].map(() => cpuOf(items.slice(-1))));
    const fifty = Math.min(...[1, 2, 3].map(() => cpuOf(items)));
    expect(fifty / one).toBeLessThan(6);
  });
});
