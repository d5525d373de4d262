import { headers } from 'nats';
import { z } from 'zod';
import { PAID_BUCKET } from '@pipeline/contracts';
import type { Connection } from './connection.ts';
import { lastMessage } from './direct-get.ts';
import type { Log } from './log.ts';
import type { MessageKey } from './message-key.ts';
import { createPaidMemory, type PaidMemoryLimits } from './paid-memory.ts';
import { PAID_STREAM } from './topology.ts';

/** Outcomes of steps that were paid for, by the name of the step. */
export type Outcomes = ReadonlyMap<string, unknown>;

/** What was paid for messages that were given back, for whoever gets them next. No call rejects: without it work is paid again. */
export type PaidStore = {
  recall(key: MessageKey): Promise<Map<string, unknown>>;
  /** Keeps this in the place of what was kept before. */
  keep(key: MessageKey, outcomes: Outcomes): Promise<void>;
  forget(key: MessageKey): Promise<void>;
};

/** What one message of the broker holds well. More is kept by this process alone. */
const MAX_BYTES = 512 * 1_024;
/** A thousand waiting calls of an hour's words each; forgotten after some of the longest waits between two deliveries. */
const IN_MEMORY: PaidMemoryLimits = { maxBytes: 32 * 1_048_576, lifetimeMs: 60 * 60_000 };

const outcomesSchema = z.array(z.tuple([z.string(), z.unknown()]));

/**
 * In the bucket `PAID`, because a redelivery goes to whichever process pulls first; what the bucket does not take stays in the memory of
 * this one. A receipt and no source of truth: only the stage that wrote it reads it, at a redelivery, and it goes when its message is
 * settled. One message a key, read by direct get, like the crash counts. A replica may answer stale: then something is paid twice.
 */
export function createPaidStore(connection: Connection, logger: Log, limits: PaidMemoryLimits = IN_MEMORY): PaidStore {
  const { js } = connection;
  const memory = createPaidMemory(limits);
  const attempt = async <T>(what: string, key: MessageKey, work: () => Promise<T>): Promise<T | 'failed'> => {
    try {
      return await work();
    } catch (error) {
      const { stage, callSid, revision } = key;
      logger.warn({ stage, callSid, revision, err: error }, `what was paid could not be ${what}`);
      return 'failed';
    }
  };
  const store = async (key: MessageKey, body: Buffer): Promise<void> => {
    if (body.length > MAX_BYTES) throw new RangeError('more than one message of the broker holds');
    await js.publish(subjectOf(key), body);
  };
  return {
    recall: async (key) => {
      const kept = memory.recall(subjectOf(key));
      const entry = await attempt('read', key, () => lastMessage(connection, PAID_STREAM, subjectOf(key)));
      const stored = entry === 'failed' || entry === null ? [] : outcomesOf(entry.data);
      return new Map([...stored, ...(kept === undefined ? [] : outcomesOf(kept))]);
    },
    keep: async (key, outcomes) => {
      const body = Buffer.from(JSON.stringify([...outcomes]));
      const kept = await attempt('kept for other processes', key, () => store(key, body));
      if (kept === 'failed') memory.keep(subjectOf(key), body);
      else memory.forget(subjectOf(key));
    },
    forget: async (key) => {
      memory.forget(subjectOf(key));
      const deletion = headers();
      deletion.set('KV-Operation', 'DEL');
      await attempt('forgotten', key, () => js.publish(subjectOf(key), undefined, { headers: deletion }));
    },
  };
}

/** Nothing for a deleted entry, which has no body, nor for what is none of ours. */
function outcomesOf(body: Uint8Array): [string, unknown][] {
  try {
    return outcomesSchema.parse(JSON.parse(Buffer.from(body).toString()));
  } catch {
    return [];
  }
}

function subjectOf({ stage, callSid, revision }: MessageKey): string {
  return `$KV.${PAID_BUCKET}.${stage}.${callSid}.r${revision}`;
}
