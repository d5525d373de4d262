import { bucketReadyAt } from './bucket.ts';
import type { Endpoint } from './endpoint.ts';

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
  let { waitingFrom, testFrom } = endpoint;
  for (const { lane, until } of endpoint.leases) {
    if (until > now) continue;
    if (lane === 'test') testFrom = earlier(testFrom, until);
    else waitingFrom = earlier(waitingFrom, until);
  }
  return { ...endpoint, waitingFrom, testFrom, leases: endpoint.leases.filter((lease) => lease.until > now) };
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
  // The end of a lease counts as well: what its process did not finish is then due again.
  const ends = endpoint.leases.map((lease) => lease.until).toSorted((one, other) => one.getTime() - other.getTime());
  const first = ends[0] ?? null;
  const waiting = earlier(endpoint.waitingFrom, first);
  if (endpoint.state !== 'active') {
    const resumed = endpoint.resumesAt === null || waiting === null ? null : later(endpoint.resumesAt, waiting);
    return earlier(endpoint.testFrom, resumed);
  }
  const isFull = endpoint.leases.length >= endpoint.limits.maxInFlight;
  const probe = endpoint.leases.find((lease) => lease.isProbe)?.until ?? null;
  const hindrances = [
    endpoint.throttle?.until ?? null,
    endpoint.breaker === null ? null : later(endpoint.breaker.openUntil, probe ?? endpoint.breaker.openUntil),
    bucketReadyAt(endpoint),
    isFull ? first : null,
  ];
  const possible = waiting === null ? null : hindrances.reduce<Date>((at, other) => later(at, other ?? at), waiting);
  return earlier(endpoint.testFrom, possible);
}

function later(one: Date, other: Date): Date {
  return one >= other ? one : other;
}
