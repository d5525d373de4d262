import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digitRuns, numbersIn } from './numbers.ts';

const valuesIn = (text: string) => numbersIn(text).map(({ values }) => (values.length === 1 ? values[0] : values));

describe('the numbers of a text', () => {
  test.each([
    ['three rooms', [3]],
    ['nine hundred and fifty', [950]],
    ['twenty five', [25]],
    ['five five five', [5, 5, 5]],
    ['two thousand five hundred', [2500]],
    ['1,500 or 1.500 or 1,5 or 1.500,25', [1500, [1500, 1.5], 1.5, 1500.25]],
    ['10k, 10 thousand, ten thousand dollars', [10_000, 10_000, 10_000]],
    ['one hundred thousand', [100_000]],
    ['nineteen ninety', [19, 90]],
    ['-5 degrees, minus five', [-5, -5]],
    ['3-4 rooms', [3, 4]],
    ['שלושה חדרים', [3]],
    ['שלושה וחצי', [3.5]],
    ['שני מיליון וחצי', [2_500_000]],
    ['two and a half million', [2_500_000]],
    ['אלף וחצי', [1500]],
    ['חמישים ושלוש', [53]],
    ['מאתיים וחמישים', [250]],
    ['אלף חמש מאות', [1500]],
    ['שלוש עשרה', [13]],
    ['בשבע', [7]],
    ['خمسة وعشرون', [25]],
    ['ثلاثة عشر', [13]],
    ['ألفين وخمسمئة', [2500]],
    ['عشرة آلاف', [10_000]],
    ['٣ غرف', [3]],
    ['двадцать пять тысяч триста', [25_300]],
    ['tres mil quinientos', [3500]],
    ['treinta y cinco', [35]],
    ['no numbers at all, אין כאן', []],
  ])('%s are %j', (text, values) => {
    expect(valuesIn(text)).toEqual(values);
  });

  test('are those that were written, whatever stands between them', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 999_999 }), { maxLength: 8 }), (numbers) => {
        expect(numbersIn(numbers.join(' rooms, ')).map(({ values }) => values[0])).toEqual(numbers);
      }),
    );
  });
});

test.each([
  ['zero five four five five five oh one seven seven', '0545550177'],
  ['אפס חמישים, 123-45 67', '0501234567'],
  ['+972-54-555-0177', '972545550177'],
  ['٠٥٠ ١٢٣ ٤٥٦٧', '0501234567'],
  ['(617) 555.0188', '6175550188'],
])('%s is dialled as %s', (text, digits) => {
  expect(digitRuns(text)).toContain(digits);
});

test('a run of digits does not go over words', () => {
  expect(digitRuns('054 and then, after a while, 555')).toEqual(['054', '555']);
});
