import { bucketReadyAt } from './bucket.ts';
import type { Endpoint, Lane } from './endpoint.ts';

/** All lanes. */
export const LANES = ['first', 'later', 'test'] as const satisfies readonly Lane[];

/**
 * Brings an endpoint to an instant: leases that have ended go, and what they were for waits again; a cooldown that is over makes it
 * active; `nextDueAt` follows from all the rest (E4). Applied before and after every change, so no change has to think of it.
 */
export function settleTimes(endpoint: Endpoint, now: Date): Endpoint {
  const active = endpoint.resumesAt !== null && endpoint.resumesAt <= now ? activated(endpoint, now) : endpoint;
  const current = active.leases.some((lease) => lease.until <= now) ? withoutEnded(active, now) : active;
  const nextDueAt = nextDue(current);
  return nextDueAt?.getTime() === current.nextDueAt?.getTime() ? current : { ...current, nextDueAt };
}

function withoutEnded(endpoint: Endpoint, now: Date): Endpoint {
  let { waiting } = endpoint;
  for (const { lane, until } of endpoint.leases) {
    if (until <= now) waiting = { ...waiting, [lane]: earlier(waiting[lane], until) };
  }
  return { ...endpoint, waiting, leases: endpoint.leases.filter((lease) => lease.until > now) };
}

/** Active from now on; what waited goes out at a bounded rate. */
export function activated(endpoint: Endpoint, now: Date): Endpoint {
  return {
    ...endpoint,
    state: 'active',
    reason: null,
    since: now,
    resumesAt: null,
    isDraining: true,
    failures: null,
    unanswered: 0,
    breaker: null,
  };
}

/** The earlier of two instants, either of which may be none. */
export function earlier(one: Date | null, other: Date | null): Date | null {
  if (one === null || other === null) return one ?? other;
  return one <= other ? one : other;
}

function nextDue(endpoint: Endpoint): Date | null {
  return LANES.map((lane) => laneDue(endpoint, lane)).reduce(earlier);
}

function laneDue(endpoint: Endpoint, lane: Lane): Date | null {
  // The end of a lease counts as well: what its process did not finish is then due again.
  const waiting = earlier(endpoint.waiting[lane], endsOf(endpoint.leases, lane)[0] ?? null);
  if (waiting === null) return null;
  if (lane === 'test') return later(waiting, testPossibleAt(endpoint));
  if (endpoint.state !== 'active') return endpoint.resumesAt === null ? null : later(waiting, endpoint.resumesAt);
  const { throttle, breaker } = endpoint;
  const possible = later(waiting, throttle?.until ?? null);
  // A probe asks for nothing else.
  if (breaker !== null) return later(later(possible, breaker.openUntil), probeEnd(endpoint));
  return later(later(possible, bucketReadyAt(endpoint)), slotFreeAt(endpoint, lane));
}

function probeEnd({ leases }: Endpoint): Date | null {
  return leases.find((lease) => lease.isProbe)?.until ?? null;
}

/** A test goes beyond the cap, but only one of them. */
function testPossibleAt({ leases, limits }: Endpoint): Date | null {
  const isFull = leases.length >= limits.maxInFlight && leases.some(({ lane }) => lane === 'test');
  return isFull ? (endsOf(leases)[0] ?? null) : null;
}

/** When the cap and the share of the lane let one more out if nothing is settled before; null when they do now. */
function slotFreeAt({ leases, limits }: Endpoint, lane: 'first' | 'later'): Date | null {
  const ofCap = endsOf(leases)[leases.length - limits.maxInFlight] ?? null;
  const ofLane = endsOf(leases, lane);
  return latest(ofCap, ofLane[ofLane.length - shareOf(lane, limits.maxInFlight)] ?? null);
}

/** When leases end, the first one first. */
function endsOf(leases: Endpoint['leases'], lane?: Lane): Date[] {
  const ends = leases.filter((lease) => lane === undefined || lease.lane === lane).map(({ until }) => until);
  return ends.toSorted((one, other) => one.getTime() - other.getTime());
}

/** The most slots that one lane may hold: first attempts and retries each leave some to the other. */
export function shareOf(lane: 'first' | 'later', slots: number): number {
  if (lane === 'first') return slots >= 4 ? slots - 1 : slots;
  return slots === 1 ? 1 : slots - Math.max(1, Math.floor(slots / 4));
}

function latest(one: Date | null, other: Date | null): Date | null {
  return one === null ? other : later(one, other);
}

function later(one: Date, other: Date | null): Date {
  return other === null || one >= other ? one : other;
}
