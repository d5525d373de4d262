/**
 * A text in the form in which two texts are compared, with the place of every character in the original. What people and models
 * write differently without meaning anything else is gone: case, white space, vowel points, final letters, forms of alef, directional
 * marks, kinds of quotes, hyphens and digits. `starts[i]` and `ends[i]` are the bounds, in UTF-16 code units, of the original letter
 * that character `i` stands for. For comparison alone: texts are stored as they were written.
 */
export type Comparable = {
  readonly text: string;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
};

/** A letter with its combining marks, in whatever order of composition it was written. */
const LETTERS = /\P{M}\p{M}*|\p{M}+/gu;
/** Hebrew cantillation and vowel points, Arabic vowel signs and its stretching stroke. */
const POINTS =
  /[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0640]/gu;
/** Direction and joining marks, which nobody sees. */
const INVISIBLE = /[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u00ad]/gu;

/** Letters that are written in several ways, and the way in which they are compared. */
const SAME_LETTERS: Readonly<Record<string, string>> = {
  ך: 'כ',
  ם: 'מ',
  ן: 'נ',
  ף: 'פ',
  ץ: 'צ',
  ٱ: 'ا',
  ى: 'ي',
  ی: 'ي',
  ک: 'ك',
  ة: 'ه',
};

/** The form of a text for comparison. Single spaces, none at the ends. */
export function comparable(original: string): Comparable {
  const starts: number[] = [];
  const ends: number[] = [];
  // Joined at the end: to ask a growing text for its last letter copies it each time, which a call of hours does not survive.
  const letters: string[] = [];
  let isAfterSpace = true;
  for (const match of original.matchAll(LETTERS)) {
    const plain = plainLetter(match[0]);
    if (plain === '' || (plain === ' ' && isAfterSpace)) continue;
    isAfterSpace = plain.endsWith(' ');
    letters.push(plain);
    for (let unit = 0; unit < plain.length; unit += 1) {
      starts.push(match.index);
      ends.push(match.index + match[0].length);
    }
  }
  const text = letters.join('');
  return { text: text.endsWith(' ') ? text.slice(0, -1) : text, starts, ends };
}

/** The form of a text alone, where no place in it is asked for. */
export function comparableText(original: string): string {
  return comparable(original).text;
}

/** Whether two texts say the same in whatever spelling. */
export function isSameText(one: string, other: string): boolean {
  return comparableText(one) === comparableText(other);
}

function plainLetter(letter: string): string {
  // Decomposed, because composing letter by letter would not join a syllable of Hangul that was written in parts.
  const plain = letter
    .replace(INVISIBLE, '')
    .normalize('NFKD')
    .replace(POINTS, '')
    .replace(/^\p{M}+/u, '')
    .toLowerCase();
  if (/^[\s\p{Cc}\p{Z}\p{Pd}\u05be]\p{M}*$/u.test(plain)) return ' ';
  return plain
    .replace(/[\u05f3\u2018\u2019\u02bc\u0060\u00b4]/gu, "'")
    .replace(/[\u05f4\u201c\u201d\u201e\u00ab\u00bb]/gu, '"')
    .replace(/\p{Nd}/gu, asciiDigit)
    .replace(/[ךםןףץٱىیکة]/gu, (form) => SAME_LETTERS[form] ?? form);
}

/** Every script's digits stand in blocks of ten, from zero on. */
function asciiDigit(digit: string): string {
  let code = digit.codePointAt(0) ?? 0;
  let value = 0;
  while (value < 9 && /^\p{Nd}$/u.test(String.fromCodePoint(code - 1))) {
    code -= 1;
    value += 1;
  }
  return String(value);
}
