import { headers } from 'nats';
import { CRASH_BUCKET } from '@pipeline/contracts';
import type { Connection } from './connection.ts';
import { lastMessage } from './direct-get.ts';
import type { MessageKey } from './message-key.ts';
import { CRASH_STREAM } from './topology.ts';

export type CrashCount = {
  /** Adds one and returns the new count. Throws what the broker throws. */
  add(key: MessageKey): Promise<number>;
  /** Forgets the count: the worker lived to settle the message. Throws what the broker throws. */
  clear(key: MessageKey): Promise<void>;
};

/** Deliveries whose worker never settled the message, after which it is taken out of the stage's way. */
export const CRASHES_TO_GIVE_UP = 3;

/**
 * The count of workers that a message may have killed, in the bucket `CRASHES`: raised before the work, removed at every
 * settle, so what is left over is a death. Deliveries alone say nothing: they count delayed retries too.
 *
 * Written as a key-value store does (`$KV.<bucket>.<key>`, one message a key), read by direct get on the key's own subject:
 * the only read that permissions can bind to a stage.
 */
export function createCrashCount(connection: Connection): CrashCount {
  const { js } = connection;
  return {
    add: async (key) => {
      const count = (await read(key)) + 1;
      await js.publish(subject(key), Buffer.from(String(count)));
      return count;
    },
    clear: async (key) => {
      const deletion = headers();
      deletion.set('KV-Operation', 'DEL');
      await js.publish(subject(key), undefined, { headers: deletion });
    },
  };

  async function read(key: MessageKey): Promise<number> {
    const entry = await lastMessage(connection, CRASH_STREAM, subject(key));
    const count = entry === null ? 0 : Number(Buffer.from(entry.data).toString());
    return Number.isSafeInteger(count) && count > 0 ? count : 0;
  }
}

function subject({ stage, callSid, revision }: MessageKey): string {
  return `$KV.${CRASH_BUCKET}.${stage}.${callSid}.r${revision}`;
}
