/** `slow`: the receiver answered with something that cannot heal by itself, so it is asked less often. */
export type Lane = 'normal' | 'slow';

export type NextAttempt = { readonly kind: 'again'; readonly delayMs: number } | { readonly kind: 'exhausted' };

/** A longer `Retry-After` counts as this: the only shortening of what a receiver asks for. */
const MAX_HINT_MS = 24 * 3_600_000;
/** The slow lane leaves out this many steps of the schedule: with the default it begins at 30 minutes. */
const SLOW_LANE_SKIPS = 2;
const MAX_JITTER = 0.1;

/**
 * When the next attempt may be made after attempt `attempt` (from 1) failed. The jitter only ever adds, 0 to 10 %: an earlier
 * attempt than scheduled or asked for is never made. `random` is uniform in [0, 1).
 */
export function nextAttempt(failed: {
  readonly attempt: number;
  readonly lane: Lane;
  readonly retryAfterMs: number | null;
  readonly scheduleSeconds: readonly number[];
  readonly random: number;
}): NextAttempt {
  const seconds = laneOf(failed.scheduleSeconds, failed.lane)[failed.attempt - 1];
  if (seconds === undefined) return { kind: 'exhausted' };
  const askedMs = Math.min(failed.retryAfterMs ?? 0, MAX_HINT_MS);
  return { kind: 'again', delayMs: Math.ceil(Math.max(seconds * 1_000, askedMs) * (1 + MAX_JITTER * failed.random)) };
}

function laneOf(scheduleSeconds: readonly number[], lane: Lane): readonly number[] {
  if (lane === 'normal') return scheduleSeconds;
  return scheduleSeconds.slice(Math.max(0, Math.min(SLOW_LANE_SKIPS, scheduleSeconds.length - 1)));
}
