import { isInflectedWord, wordForms, wordsOf, type Word } from '../words.ts';
import { DENIALS } from './denial-words.ts';

/** A negation is one word or two, and few words may stand between it and what it denies. */
const MOST_LEADS = 4;
/** Letters in which a question that goes on behind a word must end. */
const LONGEST_REST = 200;
const PUNCTUATION = /[,.;:!?،؛؟…\n]/u;
const QUESTION = /^[^,.;:!?،؛؟…\n]*[?؟]/u;

const known = DENIALS.map(({ negations, leads, leastLeads }) => ({
  negations: negations.map(wordForms),
  leads: new Set(leads.split(' ').flatMap(wordForms)),
  leastLeads,
}));

/**
 * A text in which the words that it denies are blank, everything else in its place: "not in Haifa" says nothing of Haifa. With `value`,
 * only words of it are blank, as many as follow one another; without, the one word behind a negation and its prepositions. A value that
 * denies something itself, as "not heating", is left alone, and so is a question.
 */
export function withoutDenied(text: string, value?: string): string {
  const wanted = value === undefined ? undefined : wordForms(value);
  if (wanted !== undefined && negationsIn(wanted) > 0) return text;
  const { words, denied } = readDenials(text);
  const isWanted = (at: number): boolean =>
    wanted?.some((word) => isInflectedWord(word, words[at]?.form ?? '')) ?? false;
  const parts: string[] = [];
  let kept = 0;
  for (const at of denied) {
    let end = wanted === undefined ? at + 1 : at;
    while (isWanted(end) && (end === at || isJoined(text, words, end))) end += 1;
    for (const { start, end: until } of words.slice(at, end)) {
      if (start < kept) continue;
      parts.push(text.slice(kept, start), ' '.repeat(until - start));
      kept = until;
    }
  }
  return parts.join('') + text.slice(kept);
}

/** The words of a text, and which of them a negation denies, in order. */
type Denied = { readonly words: readonly Word[]; readonly denied: readonly number[] };

/** Every number, date and address of a summary is held against the same transcript, which may be that of hours. */
const LONG_TEXT_CHARS = 5_000;
let lastLong: (Denied & { readonly text: string }) | undefined;

function readDenials(text: string): Denied {
  if (lastLong?.text === text) return lastLong;
  const words = wordsOf(text);
  const read = { text, words, denied: deniedPlaces(text, words) };
  if (text.length >= LONG_TEXT_CHARS) lastLong = read;
  return read;
}

function negationsIn(forms: readonly string[]): number {
  return forms.filter((_form, at) => known.some(({ negations }) => lengthAt(negations, forms, at) > 0)).length;
}

/** Where the words stand that a negation denies, in order. */
function deniedPlaces(text: string, words: readonly Word[]): number[] {
  const forms = words.map(({ form }) => form);
  const places = new Set<number>();
  for (const { negations, leads, leastLeads } of known) {
    for (let from = 0; from < forms.length; from += 1) {
      const length = lengthAt(negations, forms, from);
      if (length === 0) continue;
      const first = from + length;
      let at = first;
      while (at - first < MOST_LEADS && leads.has(forms[at] ?? '') && isJoined(text, words, at)) at += 1;
      const isDenied = at - first >= leastLeads && at < words.length && isJoined(text, words, at);
      if (isDenied && !isAsked(text, words[at]?.end)) places.add(at);
    }
  }
  return [...places].toSorted((a, b) => a - b);
}

function lengthAt(negations: readonly (readonly string[])[], forms: readonly string[], at: number): number {
  return negations.find((negation) => negation.every((form, offset) => forms[at + offset] === form))?.length ?? 0;
}

function isAsked(text: string, from = 0): boolean {
  return QUESTION.test(text.slice(from, from + LONGEST_REST));
}

/** Whether nothing but space stands between a word and the one before it. */
function isJoined(text: string, words: readonly Word[], at: number): boolean {
  return !PUNCTUATION.test(text.slice(words[at - 1]?.end, words[at]?.start));
}
