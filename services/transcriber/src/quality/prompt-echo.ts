import { lettersOf } from './letters.ts';

/** Keywords in a row that nobody lists by chance: three in our own order, or three that are nearly the whole text. */
const IN_A_ROW = 3;
/** Letters of such a row, below which short words could meet by chance. */
const FEWEST_LETTERS = 10;
/** Share of a text that may be other words than our keywords. */
const OTHER_WORDS = 0.25;

/** A check whether a text, given as bare letters, says our own keywords back: recognizers do that when they hear nothing. */
export function createEchoCheck(keywords: readonly string[]): (letters: string) => boolean {
  const hints = [...new Set(keywords.map(lettersOf))].filter((hint) => hint !== '');
  const rows = hints
    .slice(0, 1 - IN_A_ROW)
    .map((_, at) => hints.slice(at, at + IN_A_ROW).join(''))
    .filter((row) => row.length >= FEWEST_LETTERS);
  const longestFirst = hints.toSorted((a, b) => b.length - a.length);
  return (letters) => {
    if (rows.some((row) => letters.includes(row))) return true;
    let rest = letters;
    let named = 0;
    for (const hint of longestFirst) {
      const without = rest.replaceAll(hint, '');
      if (without.length < rest.length) named += 1;
      rest = without;
    }
    return named >= IN_A_ROW && letters.length >= FEWEST_LETTERS && rest.length <= letters.length * OTHER_WORDS;
  };
}
