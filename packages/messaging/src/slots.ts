import { setTimeout as sleep } from 'node:timers/promises';
import type { JsMsg } from 'nats';
import type { Binding } from './binding.ts';
import { brokerWords } from './broker-error.ts';
import type { Connection } from './connection.ts';
import type { Log } from './log.ts';
import type { Ending, PauseGate } from './pause-gate.ts';
import { pullOne } from './pull.ts';
import type { Readiness } from './stage-definition.ts';
import type { Solitude } from './solitude.ts';
import type { ConsumerSpec } from './topology.ts';

export type SlotsOptions = {
  readonly count: number;
  /** Milliseconds that one pull waits at the server. */
  readonly pullExpiresMs: number;
  readonly connection: Connection;
  readonly binding: Binding;
  readonly gate: PauseGate;
  /** Nothing new is asked for while somebody works alone, or waits to. */
  readonly solitude: Solitude;
  readonly logger: Log;
  /** Works and settles one message, or gives it back if it has not begun when the signal is aborted. Must not reject. */
  work(message: JsMsg, stopping: AbortSignal): Promise<Ending>;
};

export type Slots = {
  /**
   * Pulls no more; resolves when every message in hand is settled and no pull is open any more. A message that one of them still brings
   * is given back at once: left to a process that ends, it would come again only after `ack_wait`.
   */
  stop(): Promise<void>;
  /** Whether pulls are answered at all: an idle queue and a dead connection look the same but for the time of the null. */
  readiness(): Readiness;
};

const PAUSE_AFTER_ERROR_MS = 1_000;
/** Two pulls without an answer. */
const SILENT_MS = 10_000;

/**
 * N loops, each with one message in flight however long it takes. Single pulls and not a prefetching iterator: what is
 * prefetched ages without heartbeats while a handler is slow.
 */
export function startSlots(options: SlotsOptions): Slots {
  const { binding, gate, solitude, connection, logger } = options;
  const stopping = new AbortController();
  let pulling = 0;
  let answeredAt = performance.now();

  const pull = async (consumer: ConsumerSpec): Promise<JsMsg | null> => {
    if (pulling === 0) answeredAt = performance.now();
    pulling += 1;
    try {
      const pulled = await pullOne(connection, consumer, options.pullExpiresMs);
      if (pulled.kind === 'unanswered') binding.recheck();
      else answeredAt = performance.now();
      return pulled.kind === 'message' ? pulled.message : null;
    } catch (error) {
      logger.warn({ reason: brokerWords(error), err: error }, 'a pull failed');
      binding.recheck();
      await sleep(PAUSE_AFTER_ERROR_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      return null;
    } finally {
      pulling -= 1;
    }
  };

  const runSlot = async (): Promise<void> => {
    while (!stopping.signal.aborted && !connection.nc.isClosed()) {
      await solitude.undisturbed(stopping.signal);
      const turn = await gate.enter();
      const consumer = turn === null ? null : await binding.consumer();
      if (turn === null || consumer === null) return;
      const message = await pull(consumer);
      if (message === null) {
        turn.leave(null);
      } else if (stopping.signal.aborted) {
        message.nak();
      } else {
        turn.leave(await options.work(message, stopping.signal));
      }
    }
  };
  const slots = Array.from({ length: options.count }, runSlot);

  return {
    stop: async () => {
      stopping.abort();
      gate.stop();
      binding.stop();
      await Promise.all(slots);
    },
    readiness: () => {
      const silentMs = performance.now() - answeredAt;
      if (pulling === 0 || silentMs < SILENT_MS) return { ok: true };
      return { ok: false, reason: `no pull was answered for ${Math.round(silentMs / 1_000)} s` };
    },
  };
}
