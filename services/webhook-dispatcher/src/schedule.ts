/** `slow`: the receiver answered with something that cannot heal by itself, so it is asked less often. */
export type Lane = 'normal' | 'slow';

export type NextAttempt = { readonly kind: 'again'; readonly delayMs: number } | { readonly kind: 'exhausted' };

/** A longer `Retry-After` counts as this: the only shortening of what a receiver asks for. */
const MAX_HINT_MS = 24 * 3_600_000;
/** In the slow lane no wait is shorter than this step of the schedule (from 0), or its last: with the default that is 30 minutes. */
const SLOW_STEP = 2;
const MAX_JITTER = 0.1;

/**
 * When the next attempt may be made after attempt `attempt` (from 1) failed. The jitter only ever adds, 0 to 10 %: an earlier
 * attempt than scheduled or asked for is never made. Both lanes end with the same attempt, so that one answer of another kind, late in the
 * schedule, gives nothing up. `random` is uniform in [0, 1).
 */
export function nextAttempt(failed: {
  readonly attempt: number;
  readonly lane: Lane;
  readonly retryAfterMs: number | null;
  readonly scheduleSeconds: readonly number[];
  readonly random: number;
}): NextAttempt {
  const { attempt, lane, scheduleSeconds } = failed;
  const seconds = scheduleSeconds[attempt - 1];
  if (seconds === undefined) return { kind: 'exhausted' };
  const slowSeconds = scheduleSeconds[Math.min(SLOW_STEP, scheduleSeconds.length - 1)] ?? 0;
  const scheduledMs = (lane === 'slow' ? Math.max(seconds, slowSeconds) : seconds) * 1_000;
  const askedMs = Math.min(failed.retryAfterMs ?? 0, MAX_HINT_MS);
  return { kind: 'again', delayMs: Math.ceil(Math.max(scheduledMs, askedMs) * (1 + MAX_JITTER * failed.random)) };
}
