import { comparableText } from '../comparable.ts';
import { isJoint, isTeen, numberWord } from './number-words.ts';

/**
 * A number as a text says it. Usually one value; `1.500` may be two. `digits` as somebody would dial them. `start` and `end` are places
 * in the form for comparison.
 */
export type SaidNumber = {
  readonly values: readonly number[];
  readonly digits: string;
  readonly start: number;
  readonly end: number;
};

const TOKENS = /\p{Nd}+(?:[.,'’]\p{Nd}+)*|[\p{L}\p{M}]+(?:['"][\p{L}\p{M}]+)*/gu;
const MINUS = /(?:^| )(?:minus|negative|מינוס|سالب|минус|menos) $/u;

/** The numbers of a text in order: in digits of any script, or in words of English, Hebrew, Arabic, Russian and Spanish. */
export function numbersIn(original: string): readonly SaidNumber[] {
  if (original.length < LONG_TEXT_CHARS) return scan(textOf(original));
  if (lastLong?.original !== original) lastLong = { original, numbers: scan(textOf(original)) };
  return lastLong.numbers;
}

/** Every number field of a business is held against the same transcript, which may be that of hours. */
const LONG_TEXT_CHARS = 5_000;
let lastLong: { readonly original: string; readonly numbers: readonly SaidNumber[] } | undefined;

/** The form for comparison, in which a hyphen is a space; one that means minus becomes the word first. */
function textOf(original: string): string {
  return comparableText(original.replaceAll(/(?<=^|[\s(])[-−](?=\p{Nd})/gu, 'minus '));
}

function scan(text: string): SaidNumber[] {
  const found: Composition[] = [];
  /** The number that may still grow, the last of those found. */
  let open: Composition | undefined;
  for (const match of text.matchAll(TOKENS)) {
    const [token] = match;
    const place = { start: match.index, end: match.index + token.length };
    const before = open !== undefined && isAdjacent(open, place, text) ? open : undefined;
    if (before !== undefined && isJoint(token)) {
      open = { ...before, joint: place.end };
      continue;
    }
    const part = readPart(token);
    const joined = part === null || before === undefined ? null : join(before, part, token, place.end);
    if (joined !== null) found.pop();
    open = joined ?? (part === null ? undefined : { ...part, ...place, last: part.values[0] ?? 0, joint: null });
    if (open !== undefined) found.push(open);
  }
  return found.map((number) => saidNumber(number, text));
}

type Part = {
  readonly values: readonly number[];
  readonly digits: string | null;
  readonly kind: string;
  readonly isJoined: boolean;
};
/** A number in the making. `joint` is the end of an "and" after it, and `last` its last part, for a unit that comes before its ten. */
type Composition = Part & {
  readonly start: number;
  readonly end: number;
  readonly last: number;
  readonly joint: number | null;
};

function readPart(token: string): Part | null {
  if (/^\p{Nd}/u.test(token)) {
    return { values: readNumeral(token), digits: token.replaceAll(/\P{Nd}/gu, ''), kind: 'numeral', isJoined: false };
  }
  const word = numberWord(token);
  return word === undefined ? null : { values: [word.value], digits: null, kind: word.kind, isJoined: word.isJoined };
}

/** `1,500` and `1'500` are fifteen hundred, `1.5` and `1,5` one and a half, and `1.500` is either. */
function readNumeral(token: string): number[] {
  const grouped = /^\p{Nd}{1,3}(?:[.,'’]\p{Nd}{3})+$/u.test(token) ? [Number(token.replaceAll(/[.,'’]/gu, ''))] : [];
  const mixed = /^(\p{Nd}{1,3}(?:[.,'’]\p{Nd}{3})+)[.,](\p{Nd}{1,2})$/u.exec(token);
  const both = mixed === null ? [] : [Number(`${mixed[1]?.replaceAll(/[.,'’]/gu, '')}.${mixed[2]}`)];
  const isGroupedByComma = grouped.length > 0 && token.includes(',');
  const plain = !isGroupedByComma && /^\p{Nd}+(?:[.,]\p{Nd}+)?$/u.test(token) ? [Number(token.replace(',', '.'))] : [];
  return [...new Set([...grouped, ...both, ...plain])];
}

/** Nothing but white space, or an "and" and white space, between two parts. */
function isAdjacent(open: Composition, place: { readonly start: number }, text: string): boolean {
  return text.slice(open.joint ?? open.end, place.start).trim() === '';
}

/** Both parts as one number, or null where the second one begins a number of its own. */
function join(open: Composition, part: Part, token: string, end: number): Composition | null {
  const value = open.values[0] ?? 0;
  const added = part.values[0] ?? 0;
  const isJoined = part.isJoined || open.joint !== null;
  const made = (result: number): Composition => {
    return { ...open, values: [result], digits: null, kind: part.kind, end, last: added, joint: null };
  };
  if (part.kind === 'scale') {
    const below = value % added === value ? value : value % 1_000;
    if (open.kind === 'numeral')
      return added >= 1_000 ? { ...made(0), values: open.values.map((one) => one * added) } : null;
    if (isJoined) return fits(value, added) ? made(value + added) : null;
    const above = value - below;
    return below > 0 && below < added && above % (added < 1_000 ? 1_000 : added * 1_000) === 0
      ? made(above + below * added)
      : null;
  }
  // "Two million and a half" is half a million more.
  const whole = open.kind === 'scale' && open.last >= 1_000 ? open.last : 1;
  if (part.kind === 'part') return isJoined || value === 0 ? made(value + added * whole) : null;
  if (part.kind === 'numeral' || open.kind === 'numeral') return null;
  if (isTeen(token) && value % 10 > 0 && !isJoined) return made(value + 10);
  // Arabic says the unit before the ten.
  if (isJoined && added >= 20 && added < 100 && open.last > 0 && open.last < 10) return made(value + added);
  return fits(value, added) ? made(value + added) : null;
}

/** A smaller part fits where the number so far has zeros. */
function fits(value: number, added: number): boolean {
  if (added === 0 || value === 0) return false;
  const room = added < 10 ? 10 : added < 100 ? 100 : added < 1_000 ? 1_000 : 1_000_000;
  return value % room === 0;
}

function saidNumber({ values, digits, start, end }: Composition, text: string): SaidNumber {
  const sign = MINUS.test(text.slice(0, start)) ? -1 : 1;
  const signed = values.map((value) => (value === 0 ? 0 : sign * value));
  return { values: signed, digits: digits ?? String(Math.trunc(values[0] ?? 0)), start, end };
}

/** What may stand between the digits of one telephone number: white space is all that comparison leaves of hyphens. */
const WITHIN_DIGITS = /^[\s.()/,،+]{0,4}$/u;
const MAX_RUN = 24;

/** Every run of digits that somebody could mean as one number, such as a telephone number said in groups. */
export function digitRuns(original: string): string[] {
  const text = textOf(original);
  const numbers = scan(text);
  const runs = new Set<string>();
  numbers.forEach((first, at) => {
    let run = '';
    let end = first.start;
    for (const number of numbers.slice(at, at + MAX_RUN)) {
      if (!WITHIN_DIGITS.test(text.slice(end, number.start))) break;
      run += number.digits;
      end = number.end;
      runs.add(run);
    }
  });
  return [...runs];
}
