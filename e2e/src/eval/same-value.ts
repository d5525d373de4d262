import type { FieldDefinition, FieldValue } from '@pipeline/contracts';
import { comparableText, isRelatedWord, isSameWord, wordForms } from '@pipeline/evidence';

/** Of a longer text, which two people would word differently, so many words must be common. */
const LEAST_COMMON = 0.6;

/**
 * Whether a value is the expected one. Spelling, points and prefixes do not matter, as they do not matter to the product; another word
 * does, and so does one word more. Numbers, dates, telephone numbers, options and yes or no are equal or not.
 */
export function isSameValue(type: FieldDefinition['type'], expected: FieldValue, actual: FieldValue): boolean {
  if (Array.isArray(expected)) return Array.isArray(actual) && isSameSet(expected, actual);
  if (isRecord(expected)) return isRecord(actual) && isSameRecord(expected, actual);
  if (typeof expected !== 'string' || typeof actual !== 'string') return expected === actual;
  switch (type) {
    case 'text':
      return commonShare(expected, actual) >= LEAST_COMMON;
    case 'email':
      return expected.toLowerCase() === actual.toLowerCase();
    case 'string':
    case 'list':
    case 'object':
      return areSameWords(expected, actual);
    default:
      return expected === actual;
  }
}

function areSameWords(expected: string, actual: string): boolean {
  const [wanted, given] = [wordForms(expected), wordForms(actual)];
  if (wanted.length === 0) return comparableText(expected) === comparableText(actual);
  return wanted.length === given.length && wanted.every((word, at) => isSameWord(word, given[at] ?? ''));
}

/** Twice the common words by all words of both. */
function commonShare(expected: string, actual: string): number {
  const [wanted, given] = [wordForms(expected), wordForms(actual)];
  const common = wanted.filter((word) => given.some((other) => isRelatedWord(word, other))).length;
  const back = given.filter((word) => wanted.some((other) => isRelatedWord(word, other))).length;
  return wanted.length + given.length === 0 ? 1 : (common + back) / (wanted.length + given.length);
}

function isSameSet(expected: readonly FieldValue[], actual: readonly FieldValue[]): boolean {
  if (expected.length !== actual.length) return false;
  return expected.every((item) => actual.some((other) => isSameValue('string', item, other)));
}

type ValueRecord = Readonly<Record<string, FieldValue>>;

function isSameRecord(expected: ValueRecord, actual: ValueRecord): boolean {
  const keys = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  return [...keys].every((key) => isSameValue('string', expected[key] ?? null, actual[key] ?? null));
}

function isRecord(value: FieldValue): value is Record<string, FieldValue> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
