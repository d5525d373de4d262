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

  it('asks an endpoint that cannot heal by itself as often, and never sooner than after 30 min', () => {
    expect(delaysOf('slow')).toEqual([1_800, 1_800, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]);
  });

  it('after seven 503 gives nothing up for one 404: it waits as long as after another 503, and has two attempts to come', () => {
    const failed = { retryAfterMs: null, scheduleSeconds: STANDARD, random: 0 };
    for (const attempt of [8, 9]) {
      const afterSlow = nextAttempt({ ...failed, attempt, lane: 'slow' });
      expect(afterSlow).toEqual(nextAttempt({ ...failed, attempt, lane: 'normal' }));
      expect(afterSlow.kind).toBe('again');
    }
  });

  it.each([[[60]], [[60, 120]], [[60, 120, 180]], [[100, 50, 300, 200]]])(
    'makes as many attempts in the slow lane of %j, none of them sooner than in the other',
    (scheduleSeconds) => {
      const [slow, normal] = [delaysOf('slow', scheduleSeconds), delaysOf('normal', scheduleSeconds)];
      expect(slow).toHaveLength(normal.length);
      expect(slow[0]).toBe(scheduleSeconds[2] ?? scheduleSeconds.at(-1));
      slow.forEach((seconds, place) => expect(seconds).toBeGreaterThanOrEqual(normal[place] ?? Infinity));
    },
  );

  it('never comes earlier than scheduled or asked, and at most 10 % later', () => {
    fc.assert(
      fc.property(anyFailure(), (failed) => {
        const next = nextAttempt(failed);
        if (next.kind === 'exhausted') return;
        const step = failed.scheduleSeconds[failed.attempt - 1] ?? Infinity;
        const least = failed.lane === 'slow' ? (failed.scheduleSeconds[2] ?? Infinity) : 0;
        const scheduledMs = Math.max(step, least) * 1_000;
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

  it('ends at the same attempt whatever the receiver answers or asks for', () => {
    fc.assert(
      fc.property(anyFailure(), (failed) => {
        const { kind } = nextAttempt(failed);
        expect(nextAttempt({ ...failed, retryAfterMs: null, random: 0 }).kind).toBe(kind);
        expect(nextAttempt({ ...failed, lane: failed.lane === 'slow' ? 'normal' : 'slow' }).kind).toBe(kind);
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
