import { randomBytes } from 'node:crypto';
import type { KeyValue } from '@pipeline/messaging';
import type { Logger, Readiness } from '@pipeline/runtime';
import { z } from 'zod';
import { createRepairs, type RepairWork } from './repairs.ts';

/** What a process says of itself with each beat, for its siblings and for people who look. */
export const processRecordSchema = z.object({ instance: z.string(), calls: z.number() });
export type ProcessRecord = z.infer<typeof processRecordSchema>;

/** This process among its siblings: it says every 2 s that it lives, and hears whether another one does. */
export type Presence = {
  /** New at every start: a restarted process knows nothing of the calls of the one before. */
  readonly id: string;
  /** Whether siblings could hear the last beat. While not, the bucket is not asked: each question would cost its deadline. */
  isHeard(): boolean;
  /** A number that changes with every beat of a process, 0 for one never heard of. Rejected when it cannot be read. */
  beatOf(id: string): Promise<number>;
  /**
   * Work to be done after a beat that was heard: for what could not be written before. No beat waits for it, and whatever it comes to,
   * the beat was heard. It is never done twice at once, nor beside other such work; `signal` tells it to stop until another beat.
   */
  onBeat(work: RepairWork): void;
  readiness(): Readiness;
  /** Begins to beat. */
  start(): void;
  stop(): void;
};

type PresenceDeps = {
  readonly processes: KeyValue<ProcessRecord>;
  readonly describe: () => ProcessRecord;
  readonly logger: Logger;
  /** Default 2 s. */
  readonly beatMs?: number;
};

const BEAT_MS = 2_000;
/** Two beats may be missed; siblings take over after three, so readiness says it first. */
const UNHEARD_MS = 5_000;

/**
 * P1 beats follow each other by the clock, whatever else is to be done: siblings take over the calls of a process that they do not hear.
 * P2 only the beat itself says whether it was heard.
 */
export function createPresence({ processes, describe, logger, beatMs = BEAT_MS }: PresenceDeps): Presence {
  const id = randomBytes(8).toString('hex');
  const repairs = createRepairs(logger);
  let heardAt = performance.now();
  let isHeard = true;

  const clockwork = createClockwork(beatMs, async () => {
    try {
      await processes.put(keyOf(id), describe());
      heardAt = performance.now();
      isHeard = true;
      void repairs.begin();
    } catch (error) {
      if (isHeard) logger.warn({ err: error }, 'other gateways cannot hear this one, its calls are not shared');
      isHeard = false;
      repairs.stop();
    }
  });

  return {
    id,
    isHeard: () => isHeard,
    beatOf: async (other) => (await processes.get(keyOf(other)))?.revision ?? 0,
    onBeat: repairs.add,
    readiness: () => {
      const silentMs = performance.now() - heardAt;
      return silentMs < UNHEARD_MS
        ? { ok: true }
        : { ok: false, reason: 'its calls cannot be shared with other gateways' };
    },
    start: clockwork.start,
    stop: () => {
      clockwork.stop();
      repairs.close();
    },
  };
}

/** Does something again and again, each time so long after the last time began, or as soon as that is over. */
function createClockwork(everyMs: number, work: () => Promise<void>): { start(): void; stop(): void } {
  let timer: NodeJS.Timeout | null = null;
  let isStopped = false;
  const tick = async (): Promise<void> => {
    const begun = performance.now();
    await work();
    if (!isStopped) timer = setTimeout(() => void tick(), Math.max(0, everyMs - (performance.now() - begun))).unref();
  };
  return {
    start: () => void tick(),
    stop: () => {
      isStopped = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}

function keyOf(id: string): string {
  return `process.${id}`;
}
