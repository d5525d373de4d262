import { LONGEST_LOOKBACK_MS } from '@pipeline/contracts';

/** Milliseconds. */
export type WatermarkRules = {
  /** How far back to look when there is no watermark: the first run, or a broker that lost everything. */
  readonly lookbackMs: number;
  /** How far before the watermark a list begins: Twilio's list may be behind, and pages may skip a row. */
  readonly overlapMs: number;
  readonly settleMs: number;
};

/** From which end of a call on Twilio is asked, in milliseconds since 1970. `watermark` null: there is none. */
export function listFrom(watermark: number | null, rules: WatermarkRules, now: number): number {
  const from = watermark === null ? now - rules.lookbackMs : watermark - rules.overlapMs;
  return Math.max(from, now - LONGEST_LOOKBACK_MS);
}

/**
 * The watermark after a whole list was worked: the oldest end of a call that has neither CallLog nor tombstone; without one, the time
 * up to which calls were old enough to be judged.
 */
export function nextWatermark(
  { oldestOpen, begun }: Pick<Sweep, 'oldestOpen' | 'begun'>,
  rules: Pick<WatermarkRules, 'settleMs'>,
): number {
  return Math.min(oldestOpen ?? Number.POSITIVE_INFINITY, begun - rules.settleMs);
}

/** A look through the whole list that takes several runs. Times in milliseconds since 1970. */
export type Sweep = {
  /** The list begins here. */
  readonly since: number;
  /** When the first of its runs began: what ended later is left to the sweep after it. */
  readonly begun: number;
  /** The oldest end of an open call among the pages that were worked. */
  readonly oldestOpen: number | null;
  /** The page to go on with, as Twilio named it; null for the first. */
  readonly next: string | null;
};

/** What is kept between two runs: the watermark, and how far a sweep that is not over has come. */
export type Mark = { readonly watermark: number; readonly sweep: Sweep | null };

/** A sweep that is not over by then starts anew: nobody promises that its next page is still to be had. */
export const LONGEST_SWEEP_MS = 6 * 3_600_000;

/**
 * Where a run goes on, or begins. What was written by a clock that was ahead counts as not there: a watermark above now has passed
 * calls that nobody has looked at, and a sweep that begun later than now would move it there.
 */
export function sweepOf(mark: Mark | null, rules: WatermarkRules, now: number): { watermark: number; sweep: Sweep } {
  const known = mark !== null && mark.watermark <= now ? mark : null;
  const present = known?.sweep ?? null;
  const age = present === null ? Number.NaN : now - present.begun;
  if (known !== null && present !== null && age >= 0 && age <= LONGEST_SWEEP_MS)
    return { watermark: known.watermark, sweep: present };
  const since = listFrom(known?.watermark ?? null, rules, now);
  const sweep = { since, begun: now, oldestOpen: null, next: null };
  return { watermark: known?.watermark ?? since + rules.overlapMs, sweep };
}
