import type { FieldDefinition, FieldResult } from '@pipeline/contracts';
import {
  comparable,
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
import { createLines, spokenOf, type Lines } from './lines.ts';
import { cutsNumber, placesOf, type Place } from './places.ts';

type Evidence = NonNullable<FieldResult['evidence']>;
type Segments = Parameters<typeof turnsOf>[1];

/** A text that values may be quoted from, in lines or sentences. Made once for all fields of a call. */
export type Source = {
  readonly name: 'summary' | 'transcript';
  readonly original: string;
  readonly passages: readonly Passage[];
  readonly searched: Comparable;
  readonly words: readonly Word[];
  /** What values may be taken from, without the names of who spoke. */
  readonly said: Lines;
  /** Lines or sentences that speak to the machine. */
  readonly barred: Lines;
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
  const linesOf = (isBarred: boolean): Lines => {
    const texts = passages.filter((passage) => passage.isBarred === isBarred).map(({ text }) => text);
    return createLines(name === 'transcript' ? texts.map(spokenOf) : texts);
  };
  const read = { searched: comparable(original), words: wordsOf(original) };
  return { name, original, passages, ...read, said: linesOf(false), barred: linesOf(true) };
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
