import type { FieldDefinition, FieldResult } from '@pipeline/contracts';
import {
  comparable,
  comparableText,
  isSameWord,
  sentencesOf,
  turnsOf,
  withoutDenied,
  wordForms,
  wordsOf,
  type Comparable,
  type Passage,
  type Word,
} from '@pipeline/evidence';

type Evidence = NonNullable<FieldResult['evidence']>;
type Segments = Parameters<typeof turnsOf>[1];

/** A text that values may be quoted from, in lines or sentences. Made once for all fields of a call. */
export type Source = {
  readonly name: 'summary' | 'transcript';
  readonly original: string;
  readonly passages: readonly Passage[];
  readonly searched: Comparable;
  readonly words: readonly Word[];
};

/** Where a quote stands: `passage` holds it and `before` is the one before that. `barred`: only where nothing may be quoted from. */
export type Found =
  | { readonly kind: 'found'; readonly evidence: Evidence; readonly passage: string; readonly before: string }
  | { readonly kind: 'barred' | 'absent' };

const LONGEST_QUOTE_CHARS = 2_000;

/** The texts of a call, ready to be searched. */
export function sourcesOf(call: {
  readonly summary: string;
  readonly transcript: string;
  readonly segments?: Segments;
}): Source[] {
  return [
    sourceOf('summary', call.summary, sentencesOf(call.summary)),
    sourceOf('transcript', call.transcript, turnsOf(call.transcript, call.segments)),
  ];
}

function sourceOf(name: Source['name'], original: string, passages: readonly Passage[]): Source {
  return { name, original, passages, searched: comparable(original), words: wordsOf(original) };
}

/**
 * Where a quote stands in a text that this field may be quoted from, in the words of that text. Spelling, points and final letters do
 * not matter, nor do the prefixes that Hebrew and Arabic write onto a word. A number counts only as a whole: `5` is not in `15`. Where a
 * value must be `undenied`, places are passed over that say the opposite: `Haifa` is not quoted from "not in Haifa".
 */
export function findEvidence(
  quote: string,
  from: FieldDefinition['from'],
  sources: readonly Source[],
  undenied = false,
): Found {
  const wanted = comparable(quote).text;
  const forms = wordForms(quote);
  let isBarred = false;
  if (forms.length === 0) return { kind: 'absent' };
  for (const source of sources) {
    if (from !== 'both' && from !== source.name) continue;
    for (const [start, end] of [...placesOf(wanted, source.searched), ...placesOfWords(forms, source)]) {
      const at = source.passages.findIndex((passage) => passage.start < end && passage.end > start);
      const held = source.passages.slice(at).filter((passage) => passage.start < end);
      const passage = held[0];
      if (passage === undefined || held.some((part) => part.isBarred)) {
        isBarred ||= passage !== undefined;
        continue;
      }
      if (source.name === 'transcript' && end <= passage.start + labelOf(passage).length) continue;
      if (undenied && held.length === 1 && isDenied(passage, quote, start, end)) continue;
      const words = source.original.slice(start, Math.min(end, start + LONGEST_QUOTE_CHARS));
      const before = source.passages[at - 1];
      const evidence = { quote: words, source: source.name, start };
      return { kind: 'found', evidence, passage: passage.text, before: before?.isBarred === false ? before.text : '' };
    }
  }
  return { kind: isBarred ? 'barred' : 'absent' };
}

/** Whether nothing is left of a place once what its passage denies of the quote is gone. */
function isDenied(passage: Passage, quote: string, start: number, end: number): boolean {
  return (
    withoutDenied(passage.text, quote)
      .slice(start - passage.start, end - passage.start)
      .trim() === ''
  );
}

/** The name of who spoke in front of a line, which nobody said. */
function labelOf({ text, isContinued }: Passage): string {
  return isContinued ? '' : (/^\w+: /u.exec(text)?.[0] ?? '');
}

/** Whether a text stands in words as it is, from the beginning of a word on: `Lod` is not in `melody`. */
export function isPartOf(text: string, words: string): boolean {
  return placesOf(comparableText(text), comparable(words)).next().done === false;
}

type Place = readonly [start: number, end: number];

/** Every place of the words as they were quoted, from the beginning of a word on. */
function* placesOf(wanted: string, { text, starts, ends }: Comparable): Generator<Place> {
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + 1)) {
    const end = at + wanted.length;
    if (cutsNumber(text, at) || cutsNumber(text, end) || !beginsWord(text, at) || !mayEnd(text, end)) continue;
    yield [starts[at] ?? 0, ends[end - 1] ?? 0];
  }
}

/** True when the place between two characters is inside a number such as `15`, `1.5` or `1,500`. */
function cutsNumber(text: string, at: number): boolean {
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

/** Every place where the same words stand one after another, whatever prefixes and punctuation they have. */
function* placesOfWords(wanted: readonly string[], { words, original }: Source): Generator<Place> {
  for (let at = 0; at + wanted.length <= words.length; at += 1) {
    const first = words[at];
    const last = words[at + wanted.length - 1];
    if (first === undefined || last === undefined) return;
    if (cutsNumber(original, first.start) || cutsNumber(original, last.end)) continue;
    if (wanted.every((form, offset) => isSameWord(form, words[at + offset]?.form ?? ''))) yield [first.start, last.end];
  }
}
