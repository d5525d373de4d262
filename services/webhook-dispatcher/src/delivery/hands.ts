import { setTimeout as delay } from 'node:timers/promises';
import type { AttemptOutcome, Hold } from '@pipeline/call-store/deliveries';
import type { Logger } from '@pipeline/runtime';
import type { AttemptReport, OpenDelivery } from './attempt.ts';
import { Places, QUICK_MS, type Request } from './places.ts';

export interface HandsDeps {
  /** `null` when nothing was sent, because `isInTime` said no right before the request. */
  makeAttempt(delivery: OpenDelivery, isInTime: () => boolean, signal: AbortSignal): Promise<AttemptReport | null>;
  /** Ends a hold with what came of it; `lost` when it was over and the row is somebody else's. */
  settle(hold: Hold, outcome: AttemptOutcome, signal: AbortSignal): Promise<'settled' | 'lost'>;
  /** Ends a hold unused: the delivery is due at once, for anybody. */
  release(hold: Hold, signal: AbortSignal): Promise<unknown>;
  onAttempt(delivery: OpenDelivery, report: AttemptReport): void;
  readonly logger: Logger;
}

export type HandsOptions = {
  /** Requests in flight at the same time; one that is out for more than a second does not count (see Places). */
  readonly slots: number;
  readonly leaseMs: number;
  /** The longest that one request takes, in milliseconds. */
  readonly totalTimeoutMs: number;
};

/** A delivery with the hold that this process has of it. */
export type HeldDelivery = { readonly delivery: OpenDelivery; readonly hold: Hold };

type Held = HeldDelivery & { readonly leaseEndsAt: number };

/** Of all slots, the part that retries and replays leave to first attempts. */
const KEPT_FOR_FIRST = 1 / 4;
const SETTLE_AGAIN_MS = 500;

/**
 * The deliveries that this process holds a lease for. Invariants:
 * D1 a request begins only when its lease outlives the longest request, so nobody else sends the same webhook meanwhile;
 * D2 a lease is taken only with a place that was kept for it, so it begins at once. Places are shared out by `Places` (P1 to P3), and what
 *    was tried before takes three quarters of the slots at most;
 * D3 an outcome is stored, or tried to be until its lease ends; if it cannot be, the same bytes go out again under the same id;
 * D4 once stopped nothing begins, what is being sent is finished, and no lease is kept that is not being used.
 */
export class Hands {
  readonly #deps: HandsDeps;
  readonly #options: HandsOptions;
  readonly #places: Places;
  readonly #sending = new Set<Promise<void>>();
  readonly #returning = new Set<Promise<void>>();
  readonly #later = new Set<Request>();
  /** What is in hand is finished whatever happens: its own deadlines end it. */
  readonly #unhurried = new AbortController().signal;
  #isStopped = false;
  /** Of a single slot: the last to have it was a retry, so what is sent for the first time is looked for alone. */
  #isTurnOfFirst = false;
  /** Told when a slot becomes free. */
  onFree: () => void = () => undefined;

  constructor(deps: HandsDeps, options: HandsOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#places = new Places(options.slots);
  }

  /** How many deliveries more could begin now. */
  get free(): number {
    return this.#places.free(performance.now());
  }

  /** How many of these may be ones that were tried before. */
  get freeLater(): number {
    const { slots } = this.#options;
    if (this.#isTurnOfFirst) return 0;
    const forLater = Math.max(1, slots - Math.ceil(slots * KEPT_FOR_FIRST));
    return Math.min(this.free, Math.max(0, forLater - this.#places.heldBy(this.#later, performance.now())));
  }

  /** Nothing was there whose turn it was. True when something else may be looked for at once. */
  passTurn(): boolean {
    const hadTurn = this.#isTurnOfFirst;
    this.#isTurnOfFirst = false;
    return hadTurn;
  }

  /** Keeps up to `wanted` places for deliveries to an endpoint; answers how many. Each is used by `accept` or given back. */
  keepPlaces(endpointId: string, wanted: number): number {
    return this.#places.keep(endpointId, wanted, performance.now());
  }

  giveBackPlaces(endpointId: string, count: number): void {
    this.#places.giveBack(endpointId, count);
  }

  /** Sends a delivery that was leased at `leasedAt` (of `performance.now()`), in a place that was kept for it. */
  accept({ delivery, hold }: HeldDelivery, leasedAt: number): void {
    if (this.#isStopped) {
      this.#places.giveBack(hold.endpointId, 1);
      return this.#giveBack({ delivery, hold });
    }
    const request = this.#places.begin(hold.endpointId, performance.now());
    if (hold.lane === 'later') this.#later.add(request);
    this.#isTurnOfFirst = this.#options.slots === 1 && hold.lane === 'later';
    // Then it stands beside the slots, and another may begin.
    const late = setTimeout(() => this.onFree(), QUICK_MS + 1);
    const held = { delivery, hold, leaseEndsAt: leasedAt + this.#options.leaseMs };
    const end = (tookMs: number | null): void => {
      clearTimeout(late);
      this.#later.delete(request);
      this.#places.end(request, tookMs);
    };
    const work = this.#deliver(held, end).finally(() => {
      this.#sending.delete(work);
      this.onFree();
    });
    this.#sending.add(work);
  }

  /** From now on nothing begins. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Resolves when what is being sent is settled and what was given back is given back. */
  async emptied(): Promise<void> {
    await Promise.all(this.#sending);
    await Promise.all(this.#returning);
  }

  async #deliver(held: Held, end: (tookMs: number | null) => void): Promise<void> {
    const { delivery, leaseEndsAt } = held;
    const isInTime = (): boolean => performance.now() + this.#options.totalTimeoutMs <= leaseEndsAt;
    let tookMs: number | null = null;
    try {
      const report = isInTime() ? await this.#deps.makeAttempt(delivery, isInTime, this.#unhurried) : null;
      if (report === null) return this.#giveBack(held);
      ({ tookMs } = report);
      this.#deps.onAttempt(delivery, report);
      await this.#settle(held, report.outcome);
    } finally {
      end(tookMs);
    }
  }

  async #settle({ delivery, hold, leaseEndsAt }: Held, outcome: AttemptOutcome): Promise<void> {
    const { callSid, webhookId } = delivery;
    const fields = { callSid, webhookId, deliveryState: outcome.next.state };
    for (;;) {
      try {
        const settled = await this.#deps.settle(hold, outcome, this.#unhurried);
        if (settled === 'lost')
          this.#deps.logger.warn(fields, '[WEBHOOK] the lease was over before the outcome was stored');
        return;
      } catch (error) {
        if (performance.now() >= leaseEndsAt) {
          return this.#deps.logger.error({ ...fields, err: error }, '[WEBHOOK] the outcome could not be stored');
        }
        await delay(SETTLE_AGAIN_MS);
      }
    }
  }

  /** When it cannot be given back its lease ends by itself. */
  #giveBack({ delivery: { webhookId }, hold }: HeldDelivery): void {
    const returned = this.#deps.release(hold, this.#unhurried).then(
      () => undefined,
      (error: unknown) =>
        this.#deps.logger.warn({ err: error, webhookId }, '[WEBHOOK] a lease could not be given back'),
    );
    const work = returned.finally(() => this.#returning.delete(work));
    this.#returning.add(work);
  }
}
