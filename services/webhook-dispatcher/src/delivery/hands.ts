import { setTimeout as delay } from 'node:timers/promises';
import type { AttemptOutcome, Hold } from '@pipeline/call-store/deliveries';
import type { Logger } from '@pipeline/runtime';
import type { AttemptReport, OpenDelivery } from './attempt.ts';

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
  /** Requests in flight at the same time; as many again may wait for a slot. */
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
 * D2 at most `slots` are sent and as many wait: the rest is given back. What was tried before takes three quarters of them at most;
 * D3 an outcome is stored, or tried to be until its lease ends; if it cannot be, the same bytes go out again under the same id;
 * D4 once stopped nothing begins, what is being sent is finished, and no lease is kept that is not being used.
 */
export class Hands {
  readonly #deps: HandsDeps;
  readonly #options: HandsOptions;
  readonly #waiting: Held[] = [];
  readonly #sending = new Set<Promise<void>>();
  readonly #returning = new Set<Promise<void>>();
  #later = 0;
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

  /** How many of these may be ones that were tried before. */
  get freeLater(): number {
    const { slots } = this.#options;
    return Math.min(this.free, Math.max(0, slots - Math.ceil(slots * KEPT_FOR_FIRST) - this.#later));
  }

  /** Takes a delivery that was leased at `leasedAt` (of `performance.now()`). False when it was given back at once. */
  accept({ delivery, hold }: HeldDelivery, leasedAt: number): boolean {
    const { slots, leaseMs } = this.#options;
    const isFull = this.#sending.size >= slots && this.#waiting.length >= slots;
    if (this.#isStopped || isFull) {
      this.#giveBack({ delivery, hold });
      return false;
    }
    if (hold.lane === 'later') this.#later += 1;
    this.#waiting.push({ delivery, hold, leaseEndsAt: leasedAt + leaseMs });
    this.#fillSlots();
    return true;
  }

  /** From now on nothing begins; what waits is given back. */
  stop(): void {
    this.#isStopped = true;
    for (const held of this.#waiting.splice(0)) this.#giveBack(held);
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
        if (held.hold.lane === 'later') this.#later -= 1;
        this.#fillSlots();
        this.onFree();
      });
      this.#sending.add(work);
    }
  }

  async #deliver(held: Held): Promise<void> {
    const { delivery, leaseEndsAt } = held;
    const isInTime = (): boolean => performance.now() + this.#options.totalTimeoutMs <= leaseEndsAt;
    const report = isInTime() ? await this.#deps.makeAttempt(delivery, isInTime, this.#unhurried) : null;
    if (report === null) return this.#giveBack(held);
    this.#deps.onAttempt(delivery, report);
    await this.#settle(held, report.outcome);
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
