import fc from 'fast-check';
import { expect, it } from 'vitest';
import { settleTimes } from './due.ts';
import { newEndpoint, type Endpoint, type EndpointChange } from './endpoint.ts';
import { pause, resume } from './operate.ts';
import { noteAttempt, type EndpointVerdict } from './outcome.ts';
import { noteWaiting, takeSlots } from './slots.ts';

const START = Date.parse('2025-12-09T10:30:00Z');
const LIMITS = { ratePerSecond: 3, maxInFlight: 5 };

type Step =
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'take'; readonly lane: 'first' | 'later'; readonly count: number }
  | { readonly kind: 'settle'; readonly verdict: EndpointVerdict; readonly place: number }
  | { readonly kind: 'wait' | 'pause' | 'resume' };

const verdict = fc.constantFrom<EndpointVerdict>(
  { kind: 'healthy' },
  { kind: 'refusing' },
  { kind: 'none' },
  { kind: 'unanswered', retryAfterMs: null },
  { kind: 'unanswered', retryAfterMs: 20_000 },
  { kind: 'throttling', retryAfterMs: null },
);
const step = fc.oneof<fc.Arbitrary<Step>[]>(
  fc.record({ kind: fc.constant('pass'), ms: fc.integer({ min: 0, max: 120_000 }) }),
  fc.record({
    kind: fc.constant('take'),
    lane: fc.constantFrom('first', 'later'),
    count: fc.integer({ min: 1, max: 9 }),
  }),
  fc.record({ kind: fc.constant('settle'), verdict, place: fc.nat() }),
  fc.record({ kind: fc.constantFrom('wait', 'pause', 'resume') }),
);

it('E1 E3 E4: whatever happens, the cap holds, one probe is out at most, and what could be sent is never looked for too late', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let now = START;
      let endpoint: Endpoint = { ...newEndpoint('biz_1', new Date(START)), limits: LIMITS };
      steps.forEach((one, place) => {
        const change = changeOf(one, endpoint, place);
        if (one.kind === 'pass') now += one.ms;
        const at = new Date(now);
        const before = settleTimes(endpoint, at);
        endpoint = settleTimes(change?.(before, at).endpoint ?? before, at);

        expect(endpoint.leases.length).toBeLessThanOrEqual(LIMITS.maxInFlight);
        expect(endpoint.leases.filter((lease) => lease.isProbe).length).toBeLessThanOrEqual(1);
        expect(endpoint.bucket.tokens).toBeGreaterThanOrEqual(0);
        if (endpoint.waitingFrom === null || endpoint.waitingFrom > at) return;
        const couldSend = (['first', 'later'] as const).some(
          (lane) => takeSlots([{ lane, ids: ['x'], leaseMs: 1_000 }])(endpoint, at).answer.length > 0,
        );
        expect(couldSend && (endpoint.nextDueAt === null || endpoint.nextDueAt > at)).toBe(false);
      });
    }),
    { numRuns: 500 },
  );
});

function changeOf(one: Step, endpoint: Endpoint, place: number): EndpointChange<unknown> | null {
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
      return noteAttempt({ slot: lease.id, lane: lease.lane, verdict: one.verdict, nextAttemptAt: null });
    }
    case 'wait':
      return noteWaiting('later', 'now');
    case 'pause':
      return pause();
    case 'resume':
      return resume({ force: true });
  }
}
