import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextAttempt, type Lane } from './schedule.ts';

const STANDARD = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
const DAY_MS = 24 * 3_600_000;

function delaysOf(lane: Lane, scheduleSeconds: readonly number[] = STANDARD): number[] {
  const delays: number[] = [];
  for (let attempt = 1; ; attempt++) {
    const next = nextAttempt({ attempt, lane, retryAfterMs: null, scheduleSeconds, random: 0 });
    if (next.kind === 'exhausted') return delays;
    delays.push(next.delayMs / 1_000);
  }
}

describe('the schedule of attempts', () => {
  it('makes 10 attempts over 75 h 35 min and 5 s by default', () => {
    expect(delaysOf('normal')).toEqual(STANDARD);
    expect(delaysOf('normal').reduce((sum, seconds) => sum + seconds, 0)).toBe(75 * 3_600 + 35 * 60 + 5);
  });

  it('asks an endpoint that cannot heal by itself after 30 min, 2, 5, 10, 14, 20 and 24 h', () => {
    expect(delaysOf('slow')).toEqual([1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]);
  });

  it.each([[[60]], [[60, 120]], [[60, 120, 180]]])(
    'keeps at least one retry in the slow lane of %j',
    (scheduleSeconds) => {
      expect(delaysOf('slow', scheduleSeconds).length).toBeGreaterThanOrEqual(1);
    },
  );

  it('never comes earlier than scheduled or asked, and at most 10 % later', () => {
    fc.assert(
      fc.property(anyFailure(), (failed) => {
        const next = nextAttempt(failed);
        if (next.kind === 'exhausted') return;
        const lane =
          failed.lane === 'slow'
            ? failed.scheduleSeconds.slice(-failed.scheduleSeconds.length + 2)
            : failed.scheduleSeconds;
        const scheduledMs = Math.min(...lane) * 1_000;
        const askedMs = Math.min(failed.retryAfterMs ?? 0, DAY_MS);
        expect(next.delayMs).toBeGreaterThanOrEqual(askedMs);
        expect(next.delayMs).toBeGreaterThanOrEqual(scheduledMs);
        expect(next.delayMs).toBeLessThanOrEqual(
          Math.ceil(Math.max(askedMs, Math.max(...failed.scheduleSeconds) * 1_000) * 1.1),
        );
      }),
    );
  });

  it('counts a Retry-After above 24 h as 24 h', () => {
    const next = nextAttempt({
      attempt: 1,
      lane: 'normal',
      retryAfterMs: 40 * DAY_MS,
      scheduleSeconds: STANDARD,
      random: 0,
    });
    expect(next).toEqual({ kind: 'again', delayMs: DAY_MS });
  });

  it('ends at the same attempt whatever the receiver asks for', () => {
    fc.assert(
      fc.property(anyFailure(), (failed) => {
        const asked = nextAttempt(failed).kind;
        expect(nextAttempt({ ...failed, retryAfterMs: null, random: 0 }).kind).toBe(asked);
      }),
    );
  });
});

function anyFailure() {
  return fc.record({
    attempt: fc.integer({ min: 1, max: 14 }),
    lane: fc.constantFrom<Lane>('normal', 'slow'),
    retryAfterMs: fc.option(fc.integer({ min: 0, max: 3 * DAY_MS })),
    scheduleSeconds: fc.array(fc.integer({ min: 1, max: 172_800 }), { minLength: 3, maxLength: 12 }),
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  });
}
