import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { comparable } from './comparable.ts';

function isPlaced(index: number, starts: readonly number[], ends: readonly number[], length: number): boolean {
  const [start = -1, end = -1] = [starts[index], ends[index]];
  return start >= (starts[index - 1] ?? 0) && end > start && end <= length;
}

describe('the form in which texts are compared', () => {
  test.each([
    ['vowel points', 'שָׁלוֹם', 'שלום'],
    ['Arabic vowel signs', 'مُحَمَّد', 'محمد'],
    ['order of composition', 'é'.normalize('NFD'), 'é'],
    ['directional marks', 'א\u200fב\u202a\u2066ג\u2069', 'אבג'],
    ['white space', '  a \t\n b\u00a0c ', 'a b c'],
    ['case', 'Tel AVIV', 'tel aviv'],
    ['the Hebrew hyphen', 'תל־אביב', 'תל אביב'],
    ['kinds of quotes', 'צה״ל “so” ג׳ירפה ’s', 'צה"ל "so" ג\'ירפה \'s'],
  ])('does not know %s', (_name, written, form) => {
    expect(comparable(written).text).toBe(comparable(form).text);
  });

  test('tells where each character stands in the original', () => {
    const original = ' בְּתֵל־אָבִיב!';
    const { text, starts, ends } = comparable(original);
    const at = text.indexOf('אביב');
    expect(original.slice(starts[at], ends[at + 3])).toBe('אָבִיב');
  });

  test('has places in order and within the text, and is its own form', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (original) => {
        const { text, starts, ends } = comparable(original);
        expect(comparable(text).text).toBe(text);
        expect(text.split('').filter((_unit, index) => !isPlaced(index, starts, ends, original.length))).toEqual([]);
      }),
    );
  });
});
