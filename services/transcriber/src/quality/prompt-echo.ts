import { lettersOf } from './letters.ts';

/** What the live transcript says of a text: it has it too, it has nothing like it at that time, or it cannot tell. */
export type LiveWord = 'confirms' | 'contradicts' | 'unknown';

/** Fewer keywords than this anybody names in a sentence. */
const FEWEST_KEYWORDS = 3;
/** Keywords in a row in our own order that nobody lists, where they are all that was said. */
const CERTAIN_ROW = 4;
/** Letters below which short words could meet by chance. */
const FEWEST_LETTERS = 10;
/** Share of a text that may be other words than our keywords, and it still is nothing else. */
const OTHER_WORDS = 0.25;

/**
 * A check whether a text, given as bare letters, says our own keywords back: recognizers do that when they hear nothing. A caller may
 * name three of them in a row as well, so that alone is no echo: the live transcript must have nothing like it, or, where it cannot
 * tell, the text must be our list in our order and nothing else. Two recognizers do not invent the same, so what it confirms is none.
 */
export function createEchoCheck(keywords: readonly string[]): (letters: string, live: LiveWord) => boolean {
  const hints = [...new Set(keywords.map(lettersOf))].filter((hint) => hint !== '');
  const longestFirst = hints.toSorted((a, b) => b.length - a.length);
  return (letters, live) => {
    if (live === 'confirms' || letters.length < FEWEST_LETTERS) return false;
    const { named, rest } = withoutKeywords(letters, longestFirst);
    if (named < FEWEST_KEYWORDS) return false;
    const isAlone = rest.length <= letters.length * OTHER_WORDS;
    const row = longestRow(letters, hints);
    if (live === 'contradicts') return isAlone || row >= FEWEST_KEYWORDS;
    return isAlone && row >= Math.min(CERTAIN_ROW, hints.length);
  };
}

/** How many keywords a text names, each counted once, and what is left of it without them. */
function withoutKeywords(letters: string, longestFirst: readonly string[]): { named: number; rest: string } {
  let rest = letters;
  let named = 0;
  for (const hint of longestFirst) {
    const without = rest.replaceAll(hint, '');
    if (without.length < rest.length) named += 1;
    rest = without;
  }
  return { named, rest };
}

/** How many keywords follow one another as they do in our list. */
function longestRow(letters: string, hints: readonly string[]): number {
  let longest = 0;
  for (let from = 0; from + longest < hints.length; from += 1) {
    while (from + longest < hints.length && letters.includes(hints.slice(from, from + longest + 1).join('')))
      longest += 1;
  }
  return longest;
}
