import type { ClaimPlaces } from '@pipeline/call-store/deliveries';
import { Hands, type HandsDeps, type HandsOptions, type HeldDelivery } from './hands.ts';

export interface LoopDeps extends HandsDeps {
  /** Takes up to `limit` due deliveries, of which at most `later` were tried before, each with a place that was kept for it. */
  claimDue(limit: number, later: number, places: ClaimPlaces, signal: AbortSignal): Promise<readonly HeldDelivery[]>;
}

export type LoopOptions = HandsOptions & {
  /** Milliseconds between two looks for due deliveries while there are none. */
  readonly pollMs: number;
};

export type DeliveryLoop = {
  /** Keeps a place for a delivery to an endpoint that is about to be leased; null when none is free for this one. */
  keepPlace(endpointId: string): KeptPlace | null;
  /** Looks for due deliveries until it is stopped. */
  start(): void;
  /** Begins nothing new, finishes what is being sent. */
  stop(): Promise<void>;
};

/** A place for one delivery. It is used once, or given back. */
export type KeptPlace = {
  /** Sends a delivery that was leased to this process at `leasedAt` (of `performance.now()`). */
  use(held: HeldDelivery, leasedAt: number): void;
  giveBack(): void;
};

/** The longest pause between two looks while the database does not answer. */
const MAX_PAUSE_MS = 15_000;

/** Sends what is due, whoever froze it, and what this process has just frozen without waiting for a look. */
export function createDeliveryLoop(deps: LoopDeps, options: LoopOptions): DeliveryLoop {
  const hands = new Hands(deps, options);
  // A look costs some ten round trips however much it brings: one for each slot that becomes free would be most of the work.
  const batch = Math.ceil(options.slots / 4);
  const stopping = new AbortController();
  let polling: Promise<void> = Promise.resolve();
  /** Something is due that nobody holds: a free slot is a reason to look at once. */
  let isMoreDue = false;

  const places: ClaimPlaces = {
    keep: (endpointId, wanted) => hands.keepPlaces(endpointId, wanted),
    giveBack: (endpointId, count) => hands.giveBackPlaces(endpointId, count),
  };

  const keepPlace = (endpointId: string): KeptPlace | null => {
    if (hands.keepPlaces(endpointId, 1) === 0) {
      isMoreDue = true;
      return null;
    }
    return {
      use: (held, leasedAt) => hands.accept(held, leasedAt),
      giveBack: () => hands.giveBackPlaces(endpointId, 1),
    };
  };

  const claim = async (): Promise<void> => {
    if (hands.free === 0) return;
    const leasedAt = performance.now();
    // Not ended by a stop: what the database has leased by then is given back.
    const claimed = await deps.claimDue(hands.free, hands.freeLater, places, new AbortController().signal);
    isMoreDue = claimed.length > 0;
    for (const held of claimed) hands.accept(held, leasedAt);
    if (claimed.length === 0 && hands.passTurn()) await claim();
  };

  const poll = async (): Promise<void> => {
    for (let failures = 0; !stopping.signal.aborted;) {
      const slotFree = Promise.withResolvers<void>();
      hands.onFree = () => isMoreDue && hands.free >= batch && slotFree.resolve();
      try {
        await claim();
        if (failures > 0) deps.logger.info({}, '[WEBHOOK] due deliveries can be claimed again');
        failures = 0;
      } catch (error) {
        if (failures === 0) deps.logger.warn({ err: error }, '[WEBHOOK] due deliveries cannot be claimed');
        failures += 1;
      }
      const pauseMs = Math.min(options.pollMs * 2 ** failures, Math.max(MAX_PAUSE_MS, options.pollMs));
      await pause(pauseMs, slotFree.promise, stopping.signal);
    }
  };

  return {
    keepPlace,
    start: () => {
      polling = poll();
    },
    stop: async () => {
      stopping.abort();
      hands.stop();
      await polling;
      await hands.emptied();
    },
  };
}

/** Waits until the time is over, for `earlier`, or for the end. */
async function pause(ms: number, earlier: Promise<void>, stopping: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = (): void => resolve();
  const timer = setTimeout(end, ms);
  stopping.addEventListener('abort', end, { once: true });
  if (stopping.aborted) end();
  await Promise.race([promise, earlier]);
  clearTimeout(timer);
  stopping.removeEventListener('abort', end);
}
