/**
 * What the dispatcher knows about one endpoint: one document of `webhook_endpoints`, shared by all replicas and changed by one atomic
 * write at a time. Invariants:
 * E1 in flight are the leases that have not ended, never a counter: a process that dies gives its slots back by doing nothing;
 * E2 a paused or disabled endpoint keeps everything that is for it, and only `test` deliveries leave;
 * E3 an open breaker lets nothing out but one probe, whichever process asks;
 * E4 `nextDueAt` is never later than the first instant at which something could be sent, and it has not come while nothing could be:
 *    whoever looks finds work, or somebody else was faster.
 */
export type Endpoint = {
  /** The business's id for now. */
  readonly id: string;
  readonly state: EndpointState;
  /** Why it is paused or disabled; null while active. */
  readonly reason: EndpointReason | null;
  /** Since when it is in this state. */
  readonly since: Date;
  /** Set by a successful test of a paused or disabled endpoint: active again from then on. */
  readonly resumesAt: Date | null;
  /** Active again and not yet through what waited meanwhile: it is sent to at a bounded rate. */
  readonly isDraining: boolean;
  /** Attempts that failed since the last success, and how far towards a pause (per cent) its owner was warned. Null after a success. */
  readonly failures: { readonly count: number; readonly since: Date; readonly warned: number } | null;
  /** Attempts in a row without a usable answer: the breaker opens on them. */
  readonly unanswered: number;
  /** Null while closed. From `openUntil` on it is half open. `opened`: how often in a row. */
  readonly breaker: { readonly openUntil: Date; readonly opened: number } | null;
  /** The receiver asked for less: nothing before `until`, and then a part of the rate that grows back with each success. */
  readonly throttle: { readonly until: Date; readonly factor: number } | null;
  /** The token bucket: what was there at an instant. It holds one second of the rate, at least one token. */
  readonly bucket: { readonly tokens: number; readonly at: Date };
  readonly leases: readonly SlotLease[];
  /** First attempts that began since the last one of `later`, counted up to the number after which it is the turn of `later`. */
  readonly firstsInRow: number;
  readonly limits: EndpointLimits;
  /** Of each lane not later than the oldest delivery that waits for a slot, null when none does. A pause does not hold up tests. */
  readonly waiting: Readonly<Record<Lane, Date | null>>;
  /** When looking for work here is worth while; null while nothing could be sent whatever the time. The index is on it. */
  readonly nextDueAt: Date | null;
  /** Grows with each write: two writers that read the same version cannot both win. */
  readonly version: number;
};

export type EndpointState = 'active' | 'paused' | 'disabled';

/** `failing`: paused by itself after days of failures. The last two: the receiver said so. */
export type EndpointReason = 'failing' | 'operator' | 'endpoint_gone' | 'stopped_by_receiver';

/** What one business allows; the dispatcher's defaults where its settings say nothing. */
export type EndpointLimits = { readonly ratePerSecond: number; readonly maxInFlight: number };

/** `first`: never tried. `later`: retries and replays. `test`: asked for by a person. */
export type Lane = 'first' | 'later' | 'test';

/** One place in flight. It ends by itself. */
export type SlotLease = {
  /** Unique among all processes. */
  readonly id: string;
  readonly lane: Lane;
  readonly until: Date;
  /** The one delivery that a half-open breaker lets out. */
  readonly isProbe: boolean;
};

/** Something that came of a change and that somebody should hear of. */
export type EndpointNotice =
  | { readonly kind: 'failing'; readonly percent: number }
  | { readonly kind: 'paused' | 'disabled' | 'recovered' | 'resumed' | 'breaker_opened' };

/** A pure change: the endpoint after it, and the answer to whoever asked. The same object means that nothing changed. */
export type EndpointChange<T> = (
  endpoint: Endpoint,
  now: Date,
) => { readonly endpoint: Endpoint; readonly answer: T; readonly notices?: readonly EndpointNotice[] };

/** The limits of an endpoint of which nobody said any. */
export const DEFAULT_LIMITS: EndpointLimits = { ratePerSecond: 100, maxInFlight: 8 };

export const NONE_WAITING: Endpoint['waiting'] = { first: null, later: null, test: null };

/** An endpoint that nothing was ever sent to. */
export function newEndpoint(id: string, now: Date): Endpoint {
  return {
    id,
    state: 'active',
    reason: null,
    since: now,
    resumesAt: null,
    isDraining: false,
    failures: null,
    unanswered: 0,
    breaker: null,
    throttle: null,
    bucket: { tokens: DEFAULT_LIMITS.ratePerSecond, at: now },
    leases: [],
    firstsInRow: 0,
    limits: DEFAULT_LIMITS,
    waiting: NONE_WAITING,
    nextDueAt: null,
    version: 0,
  };
}
