import { setTimeout as delay } from 'node:timers/promises';
import type { AttemptOutcome } from '@pipeline/call-store/deliveries';
import type { Logger } from '@pipeline/runtime';
import type { AttemptReport, OpenDelivery } from './attempt.ts';

export interface HandsDeps {
  /** `null` when nothing was sent, because `isInTime` said no right before the request. */
  makeAttempt(delivery: OpenDelivery, isInTime: () => boolean, signal: AbortSignal): Promise<AttemptReport | null>;
  /** Ends a lease with what came of it; `lost` when it was over and the row is somebody else's. */
  settle(id: string, outcome: AttemptOutcome, signal: AbortSignal): Promise<'settled' | 'lost'>;
  /** Ends a lease unused: the delivery is due at once, for anybody. */
  release(id: string, signal: AbortSignal): Promise<unknown>;
  onAttempt(delivery: OpenDelivery, report: AttemptReport): void;
  readonly logger: Logger;
}

export type HandsOptions = {
  /** Requests in flight at the same time; as many again may wait for a slot. */
  readonly slots: number;
  /** Of those, the ones that may belong to one endpoint: a hanging receiver takes no more. */
  readonly perEndpoint: number;
  readonly leaseMs: number;
  /** The longest that one request takes, in milliseconds. */
  readonly totalTimeoutMs: number;
};

type Held = { readonly delivery: OpenDelivery; readonly leaseEndsAt: number };

const SETTLE_AGAIN_MS = 500;

/**
 * The deliveries that this process holds a lease for. Invariants:
 * D1 a request begins only when its lease outlives the longest request, so nobody else sends the same webhook meanwhile;
 * D2 at most `slots` are sent and as many wait, and one endpoint has at most `perEndpoint` of them: the rest is given back;
 * D3 an outcome is stored, or tried to be until its lease ends; if it cannot be, the same bytes go out again under the same id;
 * D4 once stopped nothing begins, what is being sent is finished, and no lease is kept that is not being used.
 */
export class Hands {
  readonly #deps: HandsDeps;
  readonly #options: HandsOptions;
  readonly #waiting: Held[] = [];
  readonly #sending = new Set<Promise<void>>();
  readonly #returning = new Set<Promise<void>>();
  readonly #perEndpoint = new Map<string, number>();
  /** What is in hand is finished whatever happens: its own deadlines end it. */
  readonly #unhurried = new AbortController().signal;
  #isStopped = false;
  /** Told when a slot becomes free. */
  onFree: () => void = () => undefined;

  constructor(deps: HandsDeps, options: HandsOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** How many deliveries more could begin now. */
  get free(): number {
    return Math.max(0, this.#options.slots - this.#sending.size - this.#waiting.length);
  }

  /** Takes a delivery that was leased at `leasedAt` (of `performance.now()`). False when it was given back at once. */
  accept(delivery: OpenDelivery, leasedAt: number): boolean {
    const { slots, perEndpoint, leaseMs } = this.#options;
    const count = this.#perEndpoint.get(delivery.endpointId) ?? 0;
    const isFull = this.#sending.size >= slots && this.#waiting.length >= slots;
    if (this.#isStopped || isFull || count >= perEndpoint) {
      this.#giveBack(delivery);
      return false;
    }
    this.#perEndpoint.set(delivery.endpointId, count + 1);
    this.#waiting.push({ delivery, leaseEndsAt: leasedAt + leaseMs });
    this.#fillSlots();
    return true;
  }

  /** From now on nothing begins; what waits is given back. */
  stop(): void {
    this.#isStopped = true;
    for (const { delivery } of this.#waiting.splice(0)) this.#giveBack(delivery);
  }

  /** Resolves when what is being sent is settled and what was given back is given back. */
  async emptied(): Promise<void> {
    await Promise.all(this.#sending);
    await Promise.all(this.#returning);
  }

  #fillSlots(): void {
    while (!this.#isStopped && this.#sending.size < this.#options.slots) {
      const held = this.#waiting.shift();
      if (held === undefined) return;
      const work = this.#deliver(held).finally(() => {
        this.#sending.delete(work);
        this.#leave(held.delivery.endpointId);
        this.#fillSlots();
        this.onFree();
      });
      this.#sending.add(work);
    }
  }

  async #deliver({ delivery, leaseEndsAt }: Held): Promise<void> {
    const isInTime = (): boolean => performance.now() + this.#options.totalTimeoutMs <= leaseEndsAt;
    const report = isInTime() ? await this.#deps.makeAttempt(delivery, isInTime, this.#unhurried) : null;
    if (report === null) return this.#giveBack(delivery);
    this.#deps.onAttempt(delivery, report);
    await this.#settle(delivery, report.outcome, leaseEndsAt);
  }

  async #settle(delivery: OpenDelivery, outcome: AttemptOutcome, leaseEndsAt: number): Promise<void> {
    const { id, callSid, webhookId } = delivery;
    const fields = { callSid, webhookId, deliveryState: outcome.next.state };
    for (;;) {
      try {
        const settled = await this.#deps.settle(id, outcome, this.#unhurried);
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
  #giveBack({ id, webhookId }: OpenDelivery): void {
    const returned = this.#deps.release(id, this.#unhurried).then(
      () => undefined,
      (error: unknown) =>
        this.#deps.logger.warn({ err: error, webhookId }, '[WEBHOOK] a lease could not be given back'),
    );
    const work = returned.finally(() => this.#returning.delete(work));
    this.#returning.add(work);
  }

  #leave(endpointId: string): void {
    const left = (this.#perEndpoint.get(endpointId) ?? 1) - 1;
    if (left === 0) this.#perEndpoint.delete(endpointId);
    else this.#perEndpoint.set(endpointId, left);
  }
}
