import type { LiveTurn, Speaker } from '@pipeline/contracts';
import { lettersOf, piecesOf } from './letters.ts';

/** Turns are kept by the minute of their start; texts are compared with the minutes around them, as clocks and long turns differ. */
const BUCKET_MS = 60_000;
const BUCKETS_AROUND = 2;
/** Letters of the live transcript that are compared: a day of speech. */
const MOST_LETTERS = 1_000_000;

/** The live transcript, to compare what was heard with it. `letters` counts what it has of each speaker. */
export type LiveIndex = {
  readonly letters: { readonly caller: number; readonly agent: number };
  /** Share of a text, from 0 to 1, that these speakers say in the live transcript around that time. */
  match(letters: string, time: { readonly startMs: number; readonly endMs: number }, who: readonly Side[]): number;
  /** Whether the live transcript goes on around that time: it may have begun late or ended early. */
  covers(time: { readonly startMs: number; readonly endMs: number }): boolean;
};

/** The two sides of a call. */
export type Side = Exclude<Speaker, 'unknown'>;

/** Prepares a live transcript for comparison. Turns of an unknown speaker count for both. */
export function createLiveIndex(turns: readonly LiveTurn[]): LiveIndex {
  const sides = { caller: createSide(), agent: createSide() };
  const starts = turns.flatMap(({ startMs }) => (startMs === null ? [] : [startMs]));
  const range = { from: Math.min(...starts), to: Math.max(...starts) };
  for (const { speaker, text, startMs } of turns) {
    for (const side of speaker === 'unknown' ? (['caller', 'agent'] as const) : [speaker]) {
      sides[side].add(lettersOf(text), startMs);
    }
  }
  return {
    letters: { caller: sides.caller.letters(), agent: sides.agent.letters() },
    match: (letters, time, who) => {
      const pieces = piecesOf(letters);
      const found = pieces.filter((piece) => who.some((side) => sides[side].has(piece, time)));
      return pieces.length === 0 ? 0 : found.length / pieces.length;
    },
    covers: ({ startMs, endMs }) => {
      const around = BUCKETS_AROUND * BUCKET_MS;
      return starts.length === 0 || (endMs >= range.from - around && startMs <= range.to + around);
    },
  };
}

function createSide() {
  const buckets = new Map<number, Set<string>>();
  const timeless = new Set<string>();
  let letters = 0;
  return {
    letters: () => letters,
    add: (text: string, startMs: number | null): void => {
      if (letters > MOST_LETTERS) return;
      letters += text.length;
      const bucket = startMs === null ? null : Math.floor(startMs / BUCKET_MS);
      const pieces = bucket === null ? timeless : (buckets.get(bucket) ?? new Set<string>());
      if (bucket !== null) buckets.set(bucket, pieces);
      for (const piece of piecesOf(text)) pieces.add(piece);
    },
    has: (piece: string, { startMs, endMs }: { readonly startMs: number; readonly endMs: number }): boolean => {
      if (timeless.has(piece)) return true;
      const last = Math.floor(endMs / BUCKET_MS) + BUCKETS_AROUND;
      for (let bucket = Math.floor(startMs / BUCKET_MS) - BUCKETS_AROUND; bucket <= last; bucket += 1) {
        if (buckets.get(bucket)?.has(piece) === true) return true;
      }
      return false;
    },
  };
}
