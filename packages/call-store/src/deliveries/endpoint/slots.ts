import { refilled } from './bucket.ts';
import { earlier } from './due.ts';
import type { Endpoint, EndpointChange, EndpointLimits, Lane, SlotLease } from './endpoint.ts';
import { shareOut, type Begun } from './turns.ts';

/** Who wants slots: ids for as many leases as are wanted, all of one lane. */
export type SlotRequest = { readonly lane: Lane; readonly ids: readonly string[]; readonly leaseMs: number };

export type TakeOptions = {
  /** What its business allows now; as it was when absent. */
  readonly limits?: EndpointLimits;
  /** Slots to take at most, of all lanes. Default as many as are asked for. */
  readonly most?: number;
};

/**
 * Takes slots for as many of the ids as the endpoint allows now, and answers with those. Slots are shared so that neither lane waits for
 * the other: first attempts always find a quarter of them free of retries, with four slots or more retries find one, and where slots or
 * the rate are short one start in four is for retries (`shareOut`).
 */
export function takeSlots(requests: readonly SlotRequest[], options: TakeOptions = {}): EndpointChange<string[]> {
  return (found, now) => {
    const { limits = found.limits, most = Number.POSITIVE_INFINITY } = options;
    const endpoint = isSame(found.limits, limits) ? found : { ...found, limits };
    const wanted = Object.fromEntries(requests.map(({ lane, ids }) => [lane, ids.length]));
    const begun = shareOut(endpoint, wanted, most, now);
    const taking = requests.map((request) => ({ ...request, ids: request.ids.slice(0, begun[request.lane]) }));
    const granted = taking.flatMap(({ ids }) => ids);
    if (granted.length === 0) return { endpoint, answer: granted };
    return { endpoint: withLeases(endpoint, taking, begun, now), answer: granted };
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

function withLeases(endpoint: Endpoint, taking: readonly SlotRequest[], begun: Begun, now: Date): Endpoint {
  const taken = taking.flatMap(({ lane, ids, leaseMs }) => {
    const until = new Date(now.getTime() + leaseMs);
    const isProbe = lane !== 'test' && endpoint.breaker !== null;
    return ids.map((id): SlotLease => ({ id, lane, until, isProbe }));
  });
  const bucket = refilled(endpoint, now);
  // Tests cost none of the rate.
  const tokens = Math.max(0, bucket.tokens - begun.first - begun.later);
  const { firstsInRow } = begun;
  return { ...endpoint, leases: [...endpoint.leases, ...taken], bucket: { ...bucket, tokens }, firstsInRow };
}

function isSame(one: EndpointLimits, other: EndpointLimits): boolean {
  return one.ratePerSecond === other.ratePerSecond && one.maxInFlight === other.maxInFlight;
}
