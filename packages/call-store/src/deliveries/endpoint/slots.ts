import { refilled } from './bucket.ts';
import { earlier, shareOf } from './due.ts';
import type { Endpoint, EndpointChange, EndpointLimits, Lane, SlotLease } from './endpoint.ts';

/** Who wants slots: ids for as many leases as are wanted, all of one lane. */
export type SlotRequest = { readonly lane: Lane; readonly ids: readonly string[]; readonly leaseMs: number };

/**
 * Takes slots for as many of the ids as the endpoint allows now, and answers with those. Slots are shared so that neither lane waits for
 * the other: first attempts always find a quarter of them free of retries, and with four slots or more retries find one.
 */
export function takeSlots(requests: readonly SlotRequest[], limits?: EndpointLimits): EndpointChange<string[]> {
  return (found, now) => {
    let endpoint = limits === undefined || isSame(found.limits, limits) ? found : { ...found, limits };
    const granted: string[] = [];
    for (const request of requests) {
      const count = Math.min(request.ids.length, allowance(endpoint, request.lane, now));
      if (count <= 0) continue;
      const ids = request.ids.slice(0, count);
      granted.push(...ids);
      endpoint = withLeases(endpoint, request, ids, now);
    }
    return { endpoint, answer: granted };
  };
}

/** Gives slots back unused. */
export function returnSlots(ids: readonly string[]): EndpointChange<void> {
  return (endpoint) => {
    const leases = endpoint.leases.filter((lease) => !ids.includes(lease.id));
    return {
      endpoint: leases.length === endpoint.leases.length ? endpoint : { ...endpoint, leases },
      answer: undefined,
    };
  };
}

/** Something waits for a slot, from `from` on. Where that is known already nothing is written: see `Raised`. */
export function noteWaiting(lane: Lane, from: Date | 'now'): EndpointChange<void> {
  return (endpoint, now) => {
    const at = earlier(endpoint.waiting[lane], from === 'now' ? now : from);
    const waiting = { ...endpoint.waiting, [lane]: at };
    return { endpoint: at === endpoint.waiting[lane] ? endpoint : { ...endpoint, waiting }, answer: undefined };
  };
}

/** How many of a lane may begin now. */
function allowance(endpoint: Endpoint, lane: Lane, now: Date): number {
  const free = endpoint.limits.maxInFlight - endpoint.leases.length;
  // A person waits for the answer of a test: it needs a slot and nothing else, and one of them gets it beyond the cap.
  if (lane === 'test') return Math.max(endpoint.leases.some((lease) => lease.lane === 'test') ? 0 : 1, free);
  if (endpoint.state !== 'active' || (endpoint.throttle !== null && endpoint.throttle.until > now)) return 0;
  if (endpoint.breaker !== null) {
    const isProbed = endpoint.leases.some((lease) => lease.isProbe);
    return endpoint.breaker.openUntil <= now && !isProbed ? 1 : 0;
  }
  const tokens = Math.floor(refilled(endpoint, now).tokens);
  const held = endpoint.leases.filter((lease) => lease.lane === lane).length;
  return Math.min(free, tokens, shareOf(lane, endpoint.limits.maxInFlight) - held);
}

function withLeases(endpoint: Endpoint, request: SlotRequest, ids: readonly string[], now: Date): Endpoint {
  const until = new Date(now.getTime() + request.leaseMs);
  const isProbe = request.lane !== 'test' && endpoint.breaker !== null;
  const taken = ids.map((id): SlotLease => ({ id, lane: request.lane, until, isProbe }));
  const bucket = refilled(endpoint, now);
  const cost = request.lane === 'test' ? 0 : ids.length;
  return {
    ...endpoint,
    leases: [...endpoint.leases, ...taken],
    bucket: { ...bucket, tokens: Math.max(0, bucket.tokens - cost) },
  };
}

function isSame(one: EndpointLimits, other: EndpointLimits): boolean {
  return one.ratePerSecond === other.ratePerSecond && one.maxInFlight === other.maxInFlight;
}
