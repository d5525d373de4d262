import { comparable, comparableText } from './comparable.ts';

/** One word of a text: its form for comparison and its bounds in the original, in UTF-16 code units. */
export type Word = { readonly form: string; readonly start: number; readonly end: number };

/** A run of letters and digits; quotes inside of it belong to it, as in `צה"ל` and `don't`. */
const WORD = /[\p{L}\p{M}\p{N}]+(?:['"][\p{L}\p{M}\p{N}]+)*/gu;

/** The words of a text in order. */
export function wordsOf(original: string): Word[] {
  const { text, starts, ends } = comparable(original);
  return [...text.matchAll(WORD)].map((match) => {
    const last = match.index + match[0].length - 1;
    return { form: match[0], start: starts[match.index] ?? 0, end: ends[last] ?? original.length };
  });
}

/** The words of a text as forms alone. */
export function wordForms(original: string): string[] {
  return comparableText(original).match(WORD) ?? [];
}

/**
 * Hebrew writes the words for "in", "to", "from", "the", "and", "that" and "as" onto the next word, up to three of them; Arabic does the
 * same with "and", "so", "in", "as", "to" and its article.
 */
const HEBREW_PREFIX = /^[בלמהושכ]/u;
const ARABIC_PREFIXES = [/^[وف](?=..)/u, /^[بكل](?=..)/u, /^ال/u];
const LEAST_REST = 2;
const LEAST_SHARED = 4;

/** A word and what is left of it without the prefixes that it may have, the word itself first. */
export function withoutPrefixes(form: string): string[] {
  const found = [form];
  let rest = form;
  for (let taken = 0; taken < 3 && HEBREW_PREFIX.test(rest) && rest.length - 1 >= LEAST_REST; taken += 1) {
    rest = rest.slice(1);
    found.push(rest);
  }
  rest = form;
  for (const prefix of ARABIC_PREFIXES) {
    const shorter = rest.replace(prefix, '');
    if (shorter.length < LEAST_REST || shorter === rest) continue;
    rest = shorter;
    found.push(rest);
    if (rest.startsWith('ل') && prefix !== ARABIC_PREFIXES[2]) found.push(rest.slice(1)); // `لل`: the article lost its alef.
  }
  return [...new Set(found)].filter((part) => part === form || part.length >= LEAST_REST);
}

/** Whether two words are the same but for their prefixes. Forms as `wordsOf` gives them. */
export function isSameWord(one: string, other: string): boolean {
  if (one === other) return true;
  const [left, right] = [withoutPrefixes(one), withoutPrefixes(other)];
  // Both may have a prefix of their own, but `לוד` and `הוד` only look as if they had.
  return left.some((part) => right.includes(part) && (part === one || part === other || part.length >= LEAST_SHARED));
}

/** Letters of a Hebrew word that come and go with its form. */
const HEBREW_ENDING = /(?:ימ|ות|ית)$/u;
const HEBREW_VOWEL_LETTERS = /[וי]/gu;
const LEAST_STEM = 4;
const LEAST_SHARE = 0.6;
const LEAST_ROOT = 3;

/**
 * Whether two words are forms of one: `painting` and `painted`, `שיפוצים` and `לשפץ`. They share most of their beginning, or, in Hebrew,
 * the letters that are no vowels. Not meant for numbers: those are equal or not.
 */
export function isRelatedWord(one: string, other: string): boolean {
  if (isSameWord(one, other)) return true;
  if (/\p{N}/u.test(one) || /\p{N}/u.test(other)) return false;
  return withoutPrefixes(one).some((left) => withoutPrefixes(other).some((right) => isRelatedPart(left, right)));
}

/** Endings of these scripts' words are cut off; a shared beginning of Hebrew or Arabic letters makes `רחוב` of the city `רחובות`. */
const ENDING_SCRIPTS = /^[\p{scx=Latin}\p{scx=Cyrillic}\p{scx=Greek}]+$/u;

/**
 * Whether two words are one but for prefixes and endings: `leak` and `leaking`, `Москва` and `Москве`. Roots do not count: by its root,
 * the city `חולון` would be the window `חלון`.
 */
export function isInflectedWord(one: string, other: string): boolean {
  if (isSameWord(one, other)) return true;
  return ENDING_SCRIPTS.test(one) && ENDING_SCRIPTS.test(other) && hasSameStem(one, other);
}

/**
 * What a word may be looked up by: two words for which `isInflectedWord` holds have one of these in common, though not the other way
 * round. For an index of many words, in which every pair cannot be compared.
 */
export function inflectionKeys(form: string): string[] {
  return [...withoutPrefixes(form), ...(form.length >= LEAST_STEM ? [`${form.slice(0, LEAST_STEM)}*`] : [])];
}

function isRelatedPart(left: string, right: string): boolean {
  if (hasSameStem(left, right)) return true;
  const root = hebrewRoot(left);
  return root.length >= LEAST_ROOT && root === hebrewRoot(right);
}

function hasSameStem(left: string, right: string): boolean {
  const shared = sharedBeginning(left, right);
  return shared >= LEAST_STEM && shared >= LEAST_SHARE * Math.max(left.length, right.length);
}

function sharedBeginning(left: string, right: string): number {
  let length = 0;
  while (length < left.length && left[length] === right[length]) length += 1;
  return length;
}

function hebrewRoot(form: string): string {
  return /^[א-ת]+$/u.test(form) ? form.replace(HEBREW_ENDING, '').replace(HEBREW_VOWEL_LETTERS, '') : '';
}
