import {
  failureOf,
  PermanentError,
  RetryLaterError,
  type DeadlineKind,
  type Failure,
  type FailureCode,
  type PauseReason,
  type Spent,
} from '@pipeline/contracts';
import type { StageTiming } from './stage-timing.ts';

/** What becomes of a message whose work failed. Delays in milliseconds. */
export type Decision =
  | { readonly kind: 'again'; readonly delayMs: number }
  | { readonly kind: 'pause'; readonly delayMs: number; readonly reason: PauseReason }
  | { readonly kind: 'part_failed'; readonly failure: Failure };

/** One failed try. `attempt` counts deliveries from 1; `messageAtMs` is when the stream stored the message. */
export type FailedTry = {
  readonly error: unknown;
  readonly attempt: number;
  readonly messageAtMs: number;
  readonly nowMs: number;
  /** 0 to 1, for the jitter. */
  readonly random: number;
};

/** A deadline never prevents an attempt: a backlog after an outage is worked, however old its messages are. */
const ATTEMPTS_BEFORE_DEADLINE = 5;
const JITTER = 0.2;

/**
 * Decides what a failure of `handle` means. Pure.
 *
 * "Again" turns into "part failed" when the deadline of its kind has passed since the message was stored, and only after a
 * failed attempt that was at least the fifth. `none` has no deadline: our own servers heal. An error of no known class is a
 * bug or a surprise: retried like a provider, then handed on as `INTERNAL_ERROR`.
 */
export function decide(failed: FailedTry, timing: StageTiming): Decision {
  const { error } = failed;
  if (error instanceof PermanentError) return { kind: 'part_failed', failure: failureOf(error.code, error.spent) };
  if (error instanceof RetryLaterError && error.pause !== undefined) {
    return { kind: 'pause', delayMs: pauseDelay(timing), reason: error.pause };
  }
  const [deadline, code] = deadlineOf(error);
  if (isOver(deadline, failed, timing)) return { kind: 'part_failed', failure: failureOf(code, spentOf(error)) };
  return { kind: 'again', delayMs: retryDelay(failed, timing) };
}

/**
 * Milliseconds until the next delivery: `RETRY_BASE_MS` x 2^n up to `RETRY_MAX_MS`, +-20 %; for a recording its own schedule.
 * Never earlier than the other side asked for.
 */
export function retryDelay({ error, attempt, random }: FailedTry, timing: StageTiming): number {
  const asked = error instanceof RetryLaterError ? (error.retryAfterMs ?? 0) : 0;
  const schedule = timing.RECORDING_LOOKUP_MS;
  const isRecording = error instanceof RetryLaterError && error.deadline === 'recording';
  const planned = isRecording && schedule !== undefined ? schedule[Math.min(attempt, schedule.length) - 1] : undefined;
  const doubled = Math.min(timing.RETRY_MAX_MS, timing.RETRY_BASE_MS * 2 ** (attempt - 1));
  const jittered = doubled * (1 + JITTER * (2 * random - 1));
  return Math.round(Math.max(planned ?? jittered, asked));
}

/** Milliseconds for which a paused stage gives its message back: two probes long, so the probe finds another one first. */
export function pauseDelay(timing: StageTiming): number {
  return 2 * timing.PAUSE_PROBE_MS;
}

function deadlineOf(error: unknown): readonly [DeadlineKind, FailureCode] {
  return error instanceof RetryLaterError ? [error.deadline, error.code] : ['provider', 'INTERNAL_ERROR'];
}

function spentOf(error: unknown): Spent | undefined {
  return error instanceof RetryLaterError ? error.spent : undefined;
}

function isOver(kind: DeadlineKind, failed: FailedTry, timing: StageTiming): boolean {
  if (kind === 'none' || failed.attempt < ATTEMPTS_BEFORE_DEADLINE) return false;
  const provider = timing.PROVIDER_DEADLINE_MS;
  const limit = kind === 'recording' ? (timing.RECORDING_DEADLINE_MS ?? provider) : provider;
  return failed.nowMs - failed.messageAtMs >= limit;
}
