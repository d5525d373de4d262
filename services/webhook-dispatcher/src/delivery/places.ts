/** A request from when it begins until its outcome is stored. */
export type Request = { readonly endpointId: string; readonly begunAt: number };

type OfEndpoint = { kept: number; readonly requests: Set<Request> };

/** An answer within this many milliseconds makes an endpoint quick; a request that is out for longer stands beside the slots. */
export const QUICK_MS = 1_000;
/** So many times the slots may stand beside them. */
const BESIDE = 2;
/** Of the slots, what endpoints that are not quick may hold, all together and each by itself. */
const NOT_QUICK = 1 / 2;
const EACH_NOT_QUICK = 1 / 8;
/** Quick endpoints that are remembered, the latest ones. A forgotten one is quick again after its next answer. */
const MAX_REMEMBERED = 4_096;

/**
 * Who may send how much from this process, so that endpoints that hang never hold what the others need. Times are of `performance.now()`.
 * Invariants:
 * P1 at most `slots` hold a slot. A request that is out for longer than a second stands beside the slots, twice as many as these at most;
 * P2 an endpoint is quick from an answer within a second until one takes longer. What is not quick (new, slow, hung) holds half of the
 *    slots at most, and begins no more than an eighth of them at a time for one endpoint: the other half is for who answers;
 * P3 so an endpoint that was quick and hangs holds slots for a second, as long as what stands beside them has room.
 */
export class Places {
  readonly #slots: number;
  readonly #endpoints = new Map<string, OfEndpoint>();
  readonly #quick = new Set<string>();

  constructor(slots: number) {
    this.#slots = slots;
  }

  /** How many could begin now, if they were for quick endpoints. */
  free(now: number): number {
    return Math.max(0, this.#slots - this.#held(now).all);
  }

  /** How many slots these requests hold: not one for each that stands beside them. */
  heldBy(requests: ReadonlySet<Request>, now: number): number {
    return requests.size - Math.min(lateOf(requests, now), this.#held(now).beside);
  }

  /** Keeps up to `wanted` places for an endpoint, each of which is begun or given back; answers how many. */
  keep(endpointId: string, wanted: number, now: number): number {
    const of = this.#of(endpointId);
    const count = Math.max(0, Math.min(wanted, this.#room(endpointId, of, now)));
    if (count > 0) this.#endpoints.set(endpointId, of);
    of.kept += count;
    return count;
  }

  /** Gives back places that were kept and not used. */
  giveBack(endpointId: string, count: number): void {
    const of = this.#of(endpointId);
    of.kept = Math.max(0, of.kept - count);
    this.#forget(endpointId, of);
  }

  /** A kept place becomes a request. */
  begin(endpointId: string, now: number): Request {
    const of = this.#of(endpointId);
    const request = { endpointId, begunAt: now };
    of.kept = Math.max(0, of.kept - 1);
    of.requests.add(request);
    this.#endpoints.set(endpointId, of);
    return request;
  }

  /** A request is over; `tookMs` is how long its endpoint took, null when nothing was sent. */
  end(request: Request, tookMs: number | null): void {
    const { endpointId } = request;
    const of = this.#of(endpointId);
    of.requests.delete(request);
    this.#forget(endpointId, of);
    if (tookMs === null) return;
    this.#quick.delete(endpointId);
    if (tookMs <= QUICK_MS) this.#quick.add(endpointId);
    const [oldest] = this.#quick;
    if (this.#quick.size > MAX_REMEMBERED && oldest !== undefined) this.#quick.delete(oldest);
  }

  #of(endpointId: string): OfEndpoint {
    return this.#endpoints.get(endpointId) ?? { kept: 0, requests: new Set() };
  }

  #forget(endpointId: string, of: OfEndpoint): void {
    if (of.kept === 0 && of.requests.size === 0) this.#endpoints.delete(endpointId);
  }

  #room(endpointId: string, of: OfEndpoint, now: number): number {
    const held = this.#held(now);
    const free = this.#slots - held.all;
    if (this.#isQuick(endpointId, of, now)) return free;
    const each = shareOf(this.#slots, EACH_NOT_QUICK) - of.kept - of.requests.size;
    return Math.min(free, each, shareOf(this.#slots, NOT_QUICK) - held.notQuick);
  }

  /** Slots that are held, by all and by who is not quick: whatever stands beside them is of the latter. */
  #held(now: number): { readonly all: number; readonly notQuick: number; readonly beside: number } {
    let [all, notQuick, late] = [0, 0, 0];
    for (const [endpointId, of] of this.#endpoints) {
      const count = of.kept + of.requests.size;
      all += count;
      if (!this.#isQuick(endpointId, of, now)) notQuick += count;
      late += lateOf(of.requests, now);
    }
    const beside = Math.min(late, this.#slots * BESIDE);
    return { all: all - beside, notQuick: notQuick - beside, beside };
  }

  #isQuick(endpointId: string, of: OfEndpoint, now: number): boolean {
    return this.#quick.has(endpointId) && lateOf(of.requests, now) === 0;
  }
}

function lateOf(requests: ReadonlySet<Request>, now: number): number {
  let late = 0;
  for (const { begunAt } of requests) if (now - begunAt > QUICK_MS) late += 1;
  return late;
}

function shareOf(slots: number, share: number): number {
  return Math.max(1, Math.floor(slots * share));
}
