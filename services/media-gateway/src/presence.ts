import { randomBytes } from 'node:crypto';
import type { KeyValue } from '@pipeline/messaging';
import type { Logger, Readiness } from '@pipeline/runtime';
import { z } from 'zod';

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
  /** Work to be done after each beat that was heard: for what could not be written before. */
  onBeat(work: () => Promise<void>): void;
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

export function createPresence({ processes, describe, logger, beatMs = BEAT_MS }: PresenceDeps): Presence {
  const id = randomBytes(8).toString('hex');
  const works: (() => Promise<void>)[] = [];
  let heardAt = performance.now();
  let isHeard = true;
  let timer: NodeJS.Timeout | null = null;
  let isStopped = false;

  const beat = async (): Promise<void> => {
    try {
      await processes.put(keyOf(id), describe());
      heardAt = performance.now();
      isHeard = true;
      for (const work of works) await work();
    } catch (error) {
      if (isHeard) logger.warn({ err: error }, 'other gateways cannot hear this one, its calls are not shared');
      isHeard = false;
    }
    if (!isStopped) timer = setTimeout(() => void beat(), beatMs).unref();
  };

  return {
    id,
    isHeard: () => isHeard,
    beatOf: async (other) => (await processes.get(keyOf(other)))?.revision ?? 0,
    onBeat: (work) => void works.push(work),
    readiness: () => {
      const silentMs = performance.now() - heardAt;
      return silentMs < UNHEARD_MS
        ? { ok: true }
        : { ok: false, reason: 'its calls cannot be shared with other gateways' };
    },
    start: () => void beat(),
    stop: () => {
      isStopped = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}

function keyOf(id: string): string {
  return `process.${id}`;
}
