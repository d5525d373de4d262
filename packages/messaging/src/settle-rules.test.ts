import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  FAILURE_CODES,
  PermanentError,
  RetryLaterError,
  type DeadlineKind,
  type FailureCode,
} from '@pipeline/contracts';
import { decide, pauseDelay, retryDelay, type FailedTry } from './settle-rules.ts';
import type { StageTiming } from './stage-timing.ts';

const TIMING: StageTiming = {
  SLOTS: 8,
  RETRY_BASE_MS: 5_000,
  RETRY_MAX_MS: 300_000,
  PROVIDER_DEADLINE_MS: 86_400_000,
  PAUSE_PROBE_MS: 30_000,
  RECORDING_LOOKUP_MS: [5_000, 5_000, 10_000, 15_000, 30_000, 60_000],
  RECORDING_DEADLINE_MS: 1_800_000,
};
const MIDDLE = 0.5;

function failed(error: unknown, change: Partial<FailedTry> = {}): FailedTry {
  return { error, attempt: 1, messageAtMs: 0, nowMs: 0, random: MIDDLE, ...change };
}

const code = fc.constantFrom(...FAILURE_CODES);
const deadline = fc.constantFrom<DeadlineKind>('recording', 'provider', 'none');
const retryAfterMs = fc.integer({ min: 0, max: 86_400_000 });
const anyError = fc.oneof(
  fc.record({ deadline, code, retryAfterMs }).map((options) => new RetryLaterError('later', options)),
  fc.record({ deadline, code }).map((options) => new RetryLaterError('later', options)),
  fc.constantFrom(new Error('a bug'), new TypeError('a bug'), 'not even an error', undefined, null),
);
const attempt = fc.integer({ min: 1, max: 100_000 });
const age = fc.integer({ min: 0, max: 60 * 86_400_000 });
const random = fc.double({ min: 0, max: 1, noNaN: true });

describe('what a failure means', () => {
  it('no deadline ends a try before the fifth, however old the message is', () => {
    fc.assert(
      fc.property(anyError, fc.integer({ min: 1, max: 4 }), age, random, (error, early, ageMs, chance) => {
        const decision = decide(failed(error, { attempt: early, nowMs: ageMs, random: chance }), TIMING);
        expect(decision.kind).toBe('again');
      }),
    );
  });

  it('our own servers are waited for without a deadline', () => {
    const error = new RetryLaterError('database', { deadline: 'none' });
    fc.assert(
      fc.property(attempt, age, (tries, ageMs) => {
        expect(decide(failed(error, { attempt: tries, nowMs: ageMs }), TIMING).kind).toBe('again');
      }),
    );
  });

  it.each([
    ['provider', 86_400_000],
    ['recording', 1_800_000],
  ] as const)('the %s deadline counts from the message and hands on the code of the error', (kind, limit) => {
    const tries = fc.integer({ min: 5, max: 1_000 });
    const early = fc.integer({ min: 0, max: limit - 1 });
    const late = fc.integer({ min: limit, max: 2 * limit });
    const outcome = (attemptNumber: number, ageMs: number, wanted: FailureCode) => {
      const error = new RetryLaterError('later', { deadline: kind, code: wanted });
      return decide(failed(error, { attempt: attemptNumber, messageAtMs: 1_000, nowMs: 1_000 + ageMs }), TIMING);
    };
    fc.assert(
      fc.property(tries, early, code, (n, ageMs, wanted) => {
        expect(outcome(n, ageMs, wanted).kind).toBe('again');
      }),
    );
    fc.assert(
      fc.property(tries, late, code, (n, ageMs, wanted) => {
        expect(outcome(n, ageMs, wanted)).toMatchObject({ kind: 'part_failed', failure: { code: wanted } });
      }),
    );
  });

  it('an error of no known class is retried until the provider deadline and then is INTERNAL_ERROR', () => {
    const bug = failed(new Error('a bug'), { attempt: 9 });
    expect(decide({ ...bug, nowMs: 86_399_999 }, TIMING).kind).toBe('again');
    expect(decide({ ...bug, nowMs: 86_400_000 }, TIMING)).toEqual({
      kind: 'part_failed',
      failure: { code: 'INTERNAL_ERROR', state: 'failed' },
    });
  });

  it('what was paid for the last try stands in the part that failed, whichever class it was', () => {
    const spent = { model: 'gpt-6-luna', usage: { requests: 1 } };
    const later = failed(new RetryLaterError('503', { spent }), { attempt: 9, nowMs: 86_400_000 });
    expect(decide(later, TIMING)).toMatchObject({ failure: { code: 'PROVIDER_UNAVAILABLE', spent } });
    const never = failed(new PermanentError('PROVIDER_REJECTED', { spent }));
    expect(decide(never, TIMING)).toMatchObject({ failure: { code: 'PROVIDER_REJECTED', spent } });
  });

  it('a permanent error hands on at the first try', () => {
    expect(decide(failed(new PermanentError('NO_SPEECH')), TIMING)).toEqual({
      kind: 'part_failed',
      failure: { code: 'NO_SPEECH', state: 'skipped' },
    });
  });

  it('a rejection of ours pauses, at any age and try', () => {
    const error = new RetryLaterError('401', { pause: 'credentials', deadline: 'provider' });
    fc.assert(
      fc.property(attempt, age, (tries, ageMs) => {
        expect(decide(failed(error, { attempt: tries, nowMs: ageMs }), TIMING)).toEqual({
          kind: 'pause',
          delayMs: 60_000,
          reason: 'credentials',
        });
      }),
    );
    expect(pauseDelay(TIMING)).toBe(60_000);
  });
});

describe('when a message comes again', () => {
  it('doubles from the base to the longest delay', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 100_000].map((tries) =>
      retryDelay(failed(new Error('x'), { attempt: tries }), TIMING),
    );
    expect(delays).toEqual([5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
  });

  it('stays within 20 % of the planned delay and never comes before the other side asked', () => {
    fc.assert(
      fc.property(attempt, random, fc.option(retryAfterMs, { nil: undefined }), (tries, chance, asked) => {
        const error = new RetryLaterError('later', asked === undefined ? {} : { retryAfterMs: asked });
        const planned = Math.min(300_000, 5_000 * 2 ** (tries - 1));
        const delay = retryDelay(failed(error, { attempt: tries, random: chance }), TIMING);
        expect(delay).toBeGreaterThanOrEqual(Math.max(Math.floor(planned * 0.8), asked ?? 0));
        expect(delay).toBeLessThanOrEqual(Math.max(Math.ceil(planned * 1.2), asked ?? 0));
      }),
    );
  });

  it('looks for a recording after 5, 5, 10, 15 and 30 s, then each 60 s', () => {
    const error = new RetryLaterError('no recording yet', { deadline: 'recording', code: 'RECORDING_NOT_FOUND' });
    const delays = [1, 2, 3, 4, 5, 6, 7, 50].map((tries) =>
      retryDelay(failed(error, { attempt: tries, random: 1 }), TIMING),
    );
    expect(delays).toEqual([5_000, 5_000, 10_000, 15_000, 30_000, 60_000, 60_000, 60_000]);
  });

  it('a stage without a recording schedule retries a recording like anything else', () => {
    const { RECORDING_LOOKUP_MS: _schedule, RECORDING_DEADLINE_MS: _limit, ...timing } = TIMING;
    const error = new RetryLaterError('later', { deadline: 'recording' });
    expect(retryDelay(failed(error, { attempt: 2 }), timing)).toBe(10_000);
    expect(decide(failed(error, { attempt: 5, nowMs: 1_800_000 }), timing).kind).toBe('again');
  });
});
