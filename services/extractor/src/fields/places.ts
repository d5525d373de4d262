import { comparable, comparableText, type Comparable } from '@pipeline/evidence';

/** Whether a text stands in words as it is, from the beginning of a word on: `Lod` is not in `melody`. */
export function isPartOf(text: string, words: string): boolean {
  return placesOf(comparableText(text), comparable(words)).next().done === false;
}

/** Bounds in the original, in UTF-16 code units. */
export type Place = readonly [start: number, end: number];

/** Every place of the words as they were quoted, from the beginning of a word on. */
export function* placesOf(wanted: string, { text, starts, ends }: Comparable): Generator<Place> {
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + 1)) {
    const end = at + wanted.length;
    if (cutsNumber(text, at) || cutsNumber(text, end) || !beginsWord(text, at) || !mayEnd(text, end)) continue;
    yield [starts[at] ?? 0, ends[end - 1] ?? 0];
  }
}

/** True when the place between two characters is inside a number such as `15`, `1.5` or `1,500`. */
export function cutsNumber(text: string, at: number): boolean {
  return /\p{Nd}[.,]?$/u.test(text.slice(Math.max(0, at - 2), at)) && /^[.,]?\p{Nd}/u.test(text.slice(at, at + 2));
}

const LETTER_BEFORE = /[\p{L}\p{M}\p{N}]$/u;
const LETTER_AFTER = /^[\p{L}\p{M}\p{N}]/u;
/** Scripts that put no space between words. */
const UNSPACED =
  /^[\p{Script=Hani}\p{Script=Hira}\p{Script=Kana}\p{Script=Thai}\p{Script=Laoo}\p{Script=Khmr}\p{Script=Mymr}]/u;
const ONLY_PREFIX = /(?<![\p{L}\p{M}\p{N}])(?:[בלמהושכ]{1,3}|[وفبكل]{0,2}(?:ال|لل)?)$/u;
const LONG_ENOUGH = /[\p{L}\p{M}]{3}$/u;

function beginsWord(text: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - 5), at);
  if (!LETTER_BEFORE.test(before) || !LETTER_AFTER.test(text.slice(at)) || UNSPACED.test(text.slice(at))) return true;
  return ONLY_PREFIX.test(before);
}

/** A quote may leave the ending of a word away (`leak` of `leaking`), but not most of the word. */
function mayEnd(text: string, end: number): boolean {
  return (
    !LETTER_AFTER.test(text.slice(end)) ||
    UNSPACED.test(text.slice(end)) ||
    LONG_ENOUGH.test(text.slice(0, end).slice(-3))
  );
}
