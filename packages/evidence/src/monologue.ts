import { isSuspect } from './suspect/suspect.ts';

/** A stretch of a line in UTF-16 code units, and whether somebody speaks to a machine in it. */
export type Stretch = { readonly start: number; readonly end: number; readonly isBarred: boolean };

/** A sentence or a part of one, by its place in the line and by the words that it holds, counted from the beginning of the line. */
type Unit = { readonly start: number; readonly end: number; readonly firstWord: number; readonly lastWord: number };
type Words = { readonly first: number; readonly last: number };

/** Words that are looked at together, and how far the next look begins: whatever is no longer than their difference is seen whole. */
const WINDOW_WORDS = 60;
const STEP_WORDS = 15;
/** Words on either side that an order takes with it: a minute of fast speech, as much as it takes where every pause ends a line. */
const AROUND_WORDS = 200;
/** A recognizer may put no full stop for minutes: then its words are cut after this many. */
const LONGEST_UNIT = /\s*(?:\S+\s*){1,15}/gu;
const SENTENCE_END = /(?<=[.!?؟…]["'”»)]*\s)|(?<=[。！？])/u;

/**
 * The stretches of a line, in order and without gaps. One who speaks for minutes and gives a machine an order loses a minute before and
 * after it, not all that was said; a line of the usual length is lost as a whole. So is one of which no part is suspect by itself.
 */
export function stretchesOf(line: string): Stretch[] {
  if (!isSuspect(line)) return [{ start: 0, end: line.length, isBarred: false }];
  const units = unitsOf(line);
  const orders = suspectWords(line, units);
  if (orders.length === 0) return [{ start: 0, end: line.length, isBarred: true }];
  const stretches: Stretch[] = [];
  for (const { start, end, firstWord, lastWord } of units) {
    const isBarred = orders.some(
      ({ first, last }) => firstWord < last + AROUND_WORDS && lastWord > first - AROUND_WORDS,
    );
    const before = stretches.at(-1);
    if (before?.isBarred === isBarred) stretches[stretches.length - 1] = { ...before, end };
    else stretches.push({ start, end, isBarred });
  }
  return stretches;
}

/** Where orders stand, in words; looks that meet are one. */
function suspectWords(line: string, units: readonly Unit[]): Words[] {
  const found: Words[] = [];
  let next = 0;
  for (const [at, { start, firstWord }] of units.entries()) {
    if (firstWord < next) continue;
    next = firstWord + STEP_WORDS;
    let to = at;
    while ((units[to + 1]?.lastWord ?? Infinity) <= firstWord + WINDOW_WORDS) to += 1;
    const { end = line.length, lastWord = firstWord } = units[to] ?? {};
    if (!isSuspect(line.slice(start, end))) continue;
    const before = found.at(-1);
    if (before !== undefined && before.last >= firstWord) found[found.length - 1] = { ...before, last: lastWord };
    else found.push({ first: firstWord, last: lastWord });
  }
  return found;
}

function unitsOf(line: string): Unit[] {
  const units: Unit[] = [];
  let [start, firstWord] = [0, 0];
  for (const piece of line.split(SENTENCE_END).flatMap((sentence) => sentence.match(LONGEST_UNIT) ?? [])) {
    const lastWord = firstWord + piece.trim().split(/\s+/u).length;
    units.push({ start, end: start + piece.length, firstWord, lastWord });
    [start, firstWord] = [start + piece.length, lastWord];
  }
  return units;
}
