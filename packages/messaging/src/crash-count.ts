import { headers } from 'nats';
import { CRASH_BUCKET } from '@pipeline/contracts';
import type { Connection } from './connection.ts';
import { lastMessage } from './direct-get.ts';
import type { MessageKey } from './message-key.ts';
import { CRASH_STREAM } from './topology.ts';

/** Workers that died with the message in hand, as far as they are known; whether one of them had nothing else in work. */
export type Deaths = { readonly count: number; readonly diedAlone: boolean };

export type CrashCount = {
  /** The deaths so far. Throws what the broker throws. */
  read(key: MessageKey): Promise<Deaths>;
  /** Notes before the work what stays if the worker dies of it. Throws what the broker throws. */
  note(key: MessageKey, deaths: Deaths): Promise<void>;
  /** Forgets the count: the worker lived to settle the message. Throws what the broker throws. */
  clear(key: MessageKey): Promise<void>;
};

/** What the deaths say of a message. */
export type Standing = 'trusted' | 'suspect' | 'guilty';

/** Of the deaths in a row, the first is not counted: deliveries are counted from the second on. */
const SUSPECT_FROM = 1;
const GUILTY_FROM = 2;

/**
 * A dying worker takes everything with it that it had in hand. So a death says little of a message, two make it a suspect, which is
 * worked with nothing else in work, and only one that died so, as the third or a later death, is given up. Pure.
 */
export function standingOf({ count, diedAlone }: Deaths): Standing {
  if (count >= GUILTY_FROM && diedAlone) return 'guilty';
  return count >= SUSPECT_FROM ? 'suspect' : 'trusted';
}

/** A message without any death. */
export const NO_DEATHS: Deaths = { count: 0, diedAlone: false };

/** Beside the count, which stays a number that every release can read. */
const ALONE = 'Died-Alone';

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
    read: async (key) => {
      const entry = await lastMessage(connection, CRASH_STREAM, subject(key));
      const count = entry === null ? 0 : Number(Buffer.from(entry.data).toString());
      if (!Number.isSafeInteger(count) || count <= 0) return NO_DEATHS;
      return { count, diedAlone: entry?.headers?.has(ALONE) === true };
    },
    note: async (key, { count, diedAlone }) => {
      const marks = headers();
      if (diedAlone) marks.set(ALONE, 'yes');
      await js.publish(subject(key), Buffer.from(String(count)), { headers: marks });
    },
    clear: async (key) => {
      const deletion = headers();
      deletion.set('KV-Operation', 'DEL');
      await js.publish(subject(key), undefined, { headers: deletion });
    },
  };
}

function subject({ stage, callSid, revision }: MessageKey): string {
  return `$KV.${CRASH_BUCKET}.${stage}.${callSid}.r${revision}`;
}
