import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inflectionKeys, isInflectedWord, isRelatedWord, isSameWord, wordForms, wordsOf } from './words.ts';

const related = (one: string, other: string) => isRelatedWord(wordForms(one)[0] ?? '', wordForms(other)[0] ?? '');
const same = (one: string, other: string) => isSameWord(wordForms(one)[0] ?? '', wordForms(other)[0] ?? '');

describe('two words', () => {
  test.each([
    ['בחיפה', 'חיפה'],
    ['לחיפה', 'מחיפה'],
    ['ושבחיפה', 'חיפה'],
    ['הדירה', 'דירה'],
    ['بيروت', 'وبيروت'],
    ['القاهرة', 'قاهرة'],
    ['للقاهرة', 'القاهرة'],
    ['בָּאֶרֶץ', 'ארצ'],
  ])('%s and %s are one but for their prefixes', (one, other) => {
    expect(same(one, other)).toBe(true);
  });

  test.each([
    ['חיפה', 'יפו'],
    ['לוד', 'הוד'],
    ['שרון', 'הרון'],
    ['Haifa', 'aifa'],
    ['بيروت', 'تونس'],
    ['15', '5'],
  ])('%s and %s are two', (one, other) => {
    expect(same(one, other)).toBe(false);
  });

  test.each([
    ['painting', 'painted'],
    ['plumber', 'plumbing'],
    ['שיפוצים', 'לשפץ'],
    ['שיפוץ', 'שיפוצים'],
    ['חשמלאי', 'חשמל'],
    ['ремонт', 'ремонта'],
  ])('%s and %s are forms of one', (one, other) => {
    expect(related(one, other)).toBe(true);
  });

  test.each([
    ['Boston', 'Bosnia'],
    ['Chicago', 'Chick'],
    ['חיפה', 'חולון'],
    ['נתניה', 'נהריה'],
    ['1500', '150000'],
  ])('%s and %s are not', (one, other) => {
    expect(related(one, other)).toBe(false);
  });

  test('that are forms of one have a key in common by which an index finds them', () => {
    const prefix = fc.constantFrom('', 'ב', 'וש', 'ל', 'وال', 'لل', 'x');
    const stem = fc.constantFrom('leak', 'חיפה', 'לוד', 'قاهره', 'الوان', 'москв', 'или', 'ab');
    const word = fc.tuple(prefix, stem, fc.constantFrom('', 'ing', 's', 'а', 'ים')).map((parts) => parts.join(''));
    let alike = 0;
    fc.assert(
      fc.property(word, word, (one, other) => {
        if (!isInflectedWord(one, other)) return;
        alike += 1;
        expect(inflectionKeys(one).some((key) => inflectionKeys(other).includes(key))).toBe(true);
      }),
      { numRuns: 3_000 },
    );
    expect(alike).toBeGreaterThan(20);
  });

  test('are compared the same both ways, and every word is its own', () => {
    const word = fc.stringMatching(/^[a-zא-תا-ي]{1,9}$/u);
    fc.assert(
      fc.property(word, word, (one, other) => {
        expect(same(one, other)).toBe(same(other, one));
        expect(related(one, other)).toBe(related(other, one));
        expect(same(one, one)).toBe(true);
      }),
    );
  });
});

test('the words of a text keep their places', () => {
  const text = 'אמר: "צה״ל", don’t 1,500';
  expect(wordsOf(text).map(({ start, end }) => text.slice(start, end))).toEqual(['אמר', 'צה״ל', 'don’t', '1', '500']);
});
