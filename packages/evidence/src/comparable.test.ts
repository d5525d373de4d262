import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { comparable, comparableText, isSameText } from './comparable.ts';

function isPlaced(index: number, starts: readonly number[], ends: readonly number[], length: number): boolean {
  const [start = -1, end = -1] = [starts[index], ends[index]];
  return start >= (starts[index - 1] ?? 0) && end > start && end <= length;
}

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(
      'ש',
      'ׁ',
      'ָ',
      'ם',
      'מ',
      '־',
      '״',
      'أ',
      'ا',
      'ّ',
      'ـ',
      'ة',
      '٣',
      '\u200f',
      '\u2067',
      'é',
      'e\u0301',
      ' ',
    ),
  }),
);

describe('the form in which texts are compared', () => {
  test.each([
    ['vowel points', 'שָׁלוֹם', 'שלום'],
    ['final letters', 'שלומ', 'שלום'],
    ['Arabic vowel signs', 'مُحَمَّد', 'محمد'],
    ['forms of alef', 'أحمد إلى آخر', 'احمد الى اخر'],
    ['the stretching stroke', 'شـــكرا', 'شكرا'],
    ['kinds of final letters in Arabic', 'مدرسة على', 'مدرسه علي'],
    ['scripts of digits', '٣٥ ۳۵ ３５', '35 35 35'],
    ['order of composition', 'é'.normalize('NFD'), 'é'],
    ['syllables in parts', '한국'.normalize('NFD'), '한국'],
    ['directional marks', 'א\u200fב\u202a\u2066ג\u2069', 'אבג'],
    ['white space', '  a \t\n b\u00a0c ', 'a b c'],
    ['case', 'Tel AVIV', 'tel aviv'],
    ['the Hebrew hyphen', 'תל־אביב', 'תל אביב'],
    ['kinds of quotes', 'צה״ל “so” ג׳ירפה ’s', 'צה"ל "so" ג\'ירפה \'s'],
  ])('does not know %s', (_name, written, form) => {
    expect(isSameText(written, form)).toBe(true);
  });

  test.each([
    ['תל אביב', 'תל אבין'],
    ['15', '51'],
    ['حيفا', 'يافا'],
    ['cafe', 'café'],
  ])('tells %s from %s', (one, other) => {
    expect(isSameText(one, other)).toBe(false);
  });

  test('tells where each character stands in the original', () => {
    const original = ' בְּתֵל־אָבִיב!';
    const { text, starts, ends } = comparable(original);
    const at = text.indexOf('אביב');
    expect(original.slice(starts[at], ends[at + 3])).toBe('אָבִיב');
  });

  test('has places in order and within the text, and is its own form', () => {
    fc.assert(
      fc.property(anyText, (original) => {
        const { text, starts, ends } = comparable(original);
        expect(comparableText(text)).toBe(text);
        expect(text.split('').filter((_unit, index) => !isPlaced(index, starts, ends, original.length))).toEqual([]);
      }),
    );
  });

  test('is the same for every form of composition, and equal texts are equal both ways', () => {
    fc.assert(
      fc.property(anyText, anyText, (one, other) => {
        expect(isSameText(one.normalize('NFC'), one.normalize('NFD'))).toBe(true);
        expect(isSameText(one, other)).toBe(isSameText(other, one));
      }),
      { numRuns: 500 },
    );
  });
});

test('is made of the words of a call of hours in the time of its length, not of its square', () => {
  const words = 'So we talked about the kitchen in Haifa and about תל־אביב. ';
  const timeOf = (times: number): number => {
    const text = words.repeat(times);
    const runs = [1, 2, 3].map(() => {
      const startedAt = performance.now();
      comparable(text);
      return performance.now() - startedAt;
    });
    return Math.max(Math.min(...runs), 1); // The best of three: a busy machine makes any single run slow.
  };
  const short = timeOf(1_000);
  // Eight times as long: 64 times the time if it were the square.
  expect(timeOf(8_000) / short).toBeLessThan(40);
});
