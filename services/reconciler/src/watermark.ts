/** Milliseconds. */
export type WatermarkRules = {
  /** How far back to look when there is no watermark: the first run, or a broker that lost everything. */
  readonly lookbackMs: number;
  /** How far before the watermark a list begins: Twilio's list may be behind, and pages may skip a row. */
  readonly overlapMs: number;
  readonly settleMs: number;
};

/**
 * The farthest that is ever looked back. The shell of an expired call is removed 45 days after its end; looking beyond that would
 * bring such calls back.
 */
export const LONGEST_LOOKBACK_MS = 30 * 86_400_000;

/** From which end of a call on Twilio is asked, in milliseconds since 1970. `watermark` null: there is none. */
export function listFrom(watermark: number | null, rules: WatermarkRules, now: number): number {
  const from = watermark === null ? now - rules.lookbackMs : watermark - rules.overlapMs;
  return Math.min(Math.max(from, now - LONGEST_LOOKBACK_MS), now);
}

/**
 * The watermark after a whole list was worked: the oldest end of a call that has neither CallLog nor tombstone; without one, the time
 * up to which calls were old enough to be judged.
 */
export function nextWatermark(openEnds: readonly number[], rules: WatermarkRules, now: number): number {
  return openEnds.reduce((oldest, end) => Math.min(oldest, end), now - rules.settleMs);
}
