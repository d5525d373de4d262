import fc from 'fast-check';
import { expect, it } from 'vitest';
import { settleTimes } from './due.ts';
import { newEndpoint, type Endpoint, type EndpointChange, type Lane } from './endpoint.ts';
import { pause, resume } from './operate.ts';
import { noteAttempt, type EndpointVerdict } from './outcome.ts';
import { noteLook } from './look.ts';
import { noteWaiting, takeSlots } from './slots.ts';

const START = Date.parse('2025-12-09T10:30:00Z');
const LIMITS = { maxInFlight: 5 };

type Step =
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'take'; readonly lane: Lane; readonly count: number }
  | {
      readonly kind: 'settle';
      readonly verdict: EndpointVerdict;
      readonly place: number;
      readonly againInMs: number | null;
    }
  | { readonly kind: 'wait'; readonly lane: Lane; readonly inMs: number }
  | { readonly kind: 'look'; readonly lane: Lane }
  | { readonly kind: 'pause' | 'resume' };

const LANES = ['first', 'later', 'test'] as const;
const lane = fc.constantFrom<Lane>(...LANES);

const verdict = fc.constantFrom<EndpointVerdict>(
  { kind: 'healthy' },
  { kind: 'refusing' },
  { kind: 'none' },
  { kind: 'unanswered', retryAfterMs: null },
  { kind: 'unanswered', retryAfterMs: 20_000 },
  { kind: 'throttling', retryAfterMs: null },
  { kind: 'gone', reason: 'endpoint_gone' },
);
/** Mostly less than a lease, so that slots fill up. */
const passing = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 2_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 120_000 }) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('pass' as const), ms: passing }),
  fc.record({ kind: fc.constant('take' as const), lane, count: fc.integer({ min: 1, max: 9 }) }),
  fc.record({
    kind: fc.constant('settle' as const),
    verdict,
    place: fc.nat(),
    againInMs: fc.option(fc.integer({ min: 0, max: 90_000 })),
  }),
  fc.record({ kind: fc.constant('wait' as const), lane, inMs: fc.integer({ min: -1_000, max: 10_000 }) }),
  fc.record({ kind: fc.constant('look' as const), lane }),
  fc.record({ kind: fc.constantFrom('pause' as const, 'resume' as const) }),
);

it('E1 E2 E3 E4: whatever happens, the cap holds, one probe is out at most, and it is looked for work when something could be sent, and only then', () => {
  fc.assert(
    fc.property(fc.constantFrom(3, 1_000), fc.array(step, { maxLength: 60 }), (ratePerSecond, steps) => {
      let now = START;
      let endpoint: Endpoint = { ...newEndpoint('biz_1', new Date(START)), limits: { ...LIMITS, ratePerSecond } };
      steps.forEach((one, place) => {
        if (one.kind === 'pass') now += one.ms;
        const change = changeOf(one, endpoint, place, now);
        const at = new Date(now);
        const before = settleTimes(endpoint, at);
        endpoint = settleTimes(change?.(before, at).endpoint ?? before, at);

        const tests = endpoint.leases.filter((lease) => lease.lane === 'test').length;
        expect(endpoint.leases.length).toBeLessThanOrEqual(LIMITS.maxInFlight + Math.min(1, tests));
        expect(endpoint.leases.filter((lease) => lease.isProbe).length).toBeLessThanOrEqual(1);
        expect(endpoint.bucket.tokens).toBeGreaterThanOrEqual(0);
        const sendable = LANES.filter((each) => {
          const from = endpoint.waiting[each];
          const isWaiting = from !== null && from <= at;
          return isWaiting && takeSlots([{ lane: each, ids: ['x'], leaseMs: 1_000 }])(endpoint, at).answer.length > 0;
        });
        expect(endpoint.state === 'active' || sendable.every((each) => each === 'test')).toBe(true);
        const isLookedFor = endpoint.nextDueAt !== null && endpoint.nextDueAt <= at;
        expect(isLookedFor).toBe(sendable.length > 0);
      });
    }),
    { numRuns: 1_000 },
  );
});

function changeOf(one: Step, endpoint: Endpoint, place: number, now: number): EndpointChange<unknown> | null {
  switch (one.kind) {
    case 'pass':
      return null;
    case 'take': {
      const ids = Array.from({ length: one.count }, (_, n) => `slot-${place}-${n}`);
      return takeSlots([{ lane: one.lane, ids, leaseMs: 60_000 }]);
    }
    case 'settle': {
      const lease = endpoint.leases[one.place % Math.max(1, endpoint.leases.length)];
      if (lease === undefined) return null;
      const { againInMs } = one;
      const next = againInMs === null ? null : { lane: lease.lane, at: new Date(now + againInMs) };
      return noteAttempt({ slot: lease.id, lane: lease.lane, verdict: one.verdict, next });
    }
    case 'wait':
      return noteWaiting(one.lane, new Date(now + one.inMs));
    case 'look':
      return noteLook(endpoint.version, { [one.lane]: null });
    case 'pause':
      return pause();
    case 'resume':
      return resume({ force: true });
  }
}
