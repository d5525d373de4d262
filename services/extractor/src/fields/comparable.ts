/**
 * A text in the form in which two texts are compared, with the place of every character in the original. What people and models
 * write differently without meaning anything else is gone: case, white space, vowel points, directional marks, kinds of quotes and
 * hyphens. `starts[i]` and `ends[i]` are the bounds, in UTF-16 code units, of the original letter that character `i` stands for.
 */
export type Comparable = {
  readonly text: string;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
};

/** A letter with its combining marks, in whatever order of composition it was written. */
const LETTERS = /\P{M}\p{M}*|\p{M}+/gu;
/** Hebrew cantillation and vowel points, Arabic vowel signs and its stretching stroke. */
const POINTS = /[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u0652\u0670\u0640]/gu;
/** Direction and joining marks, which nobody sees. */
const INVISIBLE = /[\u061c\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\u00ad]/gu;

/** The form of a text for comparison. Single spaces, none at the ends. */
export function comparable(original: string): Comparable {
  const starts: number[] = [];
  const ends: number[] = [];
  let text = '';
  for (const match of original.matchAll(LETTERS)) {
    const plain = plainLetter(match[0]);
    const isSpace = plain === ' ';
    if (plain === '' || (isSpace && (text === '' || text.endsWith(' ')))) continue;
    text += plain;
    for (let unit = 0; unit < plain.length; unit += 1) {
      starts.push(match.index);
      ends.push(match.index + match[0].length);
    }
  }
  return { text: text.endsWith(' ') ? text.slice(0, -1) : text, starts, ends };
}

function plainLetter(letter: string): string {
  return letter
    .normalize('NFC')
    .replace(POINTS, '')
    .replace(INVISIBLE, '')
    .replace(/[\s\p{Cc}\p{Z}\p{Pd}\u05be]/gu, ' ')
    .replace(/[\u05f3\u2018\u2019\u02bc\u0060\u00b4]/gu, "'")
    .replace(/[\u05f4\u201c\u201d\u201e\u00ab\u00bb]/gu, '"')
    .toLowerCase();
}
