import { expect, test } from 'vitest';
import { createPaidSteps, fieldDefinitionSchema } from '@pipeline/contracts';
import { extractFields, type ExtractionDeps } from './extract-fields.ts';
import type { FieldAnswers } from './fields/answers.ts';

const keys = Array.from({ length: 20 }, (_key, at) => `field_${at}`);
const definitions = keys.map((key) => fieldDefinitionSchema.parse({ key, type: 'string', description: 'Where.' }));
const call = {
  summary: 'A painter in Boston.',
  transcript: 'caller: in Boston',
  segments: [],
  startedAt: '2025-12-09T10:30:00Z',
  timezone: 'America/New_York',
  numbers: [],
};

test('fields are judged one a turn of the event loop, so that many of a long call do not stop the service', async () => {
  let turns = 0;
  let isJudged = false;
  let turnsAtAnswer = 0;
  const count = (): void => {
    turns += 1;
    if (!isJudged) setImmediate(count);
  };
  const answers: FieldAnswers = new Map(
    keys.map((key) => [key, { value: 'Boston', status: 'found', quote: 'in Boston' }]),
  );
  const deps: ExtractionDeps = {
    ask: (question) => {
      count();
      turnsAtAnswer = turns;
      const value = question.read(Object.fromEntries(answers));
      return value === undefined ? Promise.reject(new Error('no answer')) : Promise.resolve({ value, usage: {} });
    },
    paid: createPaidSteps(),
    model: 'a-model',
    boundaryFor: () => 'call-0000',
    now: Date.now,
  };
  const { fields } = await extractFields(definitions, call, deps, new AbortController().signal);
  isJudged = true;
  expect(fields.map(({ status }) => status)).toEqual(keys.map(() => 'found'));
  expect(turns - turnsAtAnswer).toBeGreaterThanOrEqual(keys.length - 1);
});
