import { setTimeout as sleep } from 'node:timers/promises';
import { headers, type MsgHdrs } from 'nats';
import { z, type ZodType } from 'zod';
import { apiErrorNumber, API_ERRORS, BrokerError, describeBrokerFailure } from './broker-error.ts';
import type { Connection } from './connection.ts';
import { bucketStream } from './topology.ts';

/** A value as it is stored. `revision` grows with every write to the bucket; `storedAt` is the broker's clock, in ms since 1970. */
export type Entry<T> = { readonly value: T; readonly revision: number; readonly storedAt: number };

/**
 * A key-value bucket. Every call is one try with a deadline and rejects with a BrokerError, also when a stored value does not have
 * its form. A write that rejects may still have happened: read before you decide anything on it.
 * Reads come from the leader, so a value that was written anywhere is read everywhere.
 */
export type KeyValue<T> = {
  /** The present value, or null. */
  get(key: string): Promise<Entry<T> | null>;
  /** Writes only if the key holds nothing: the new revision, or null when somebody was faster. */
  create(key: string, value: T): Promise<number | null>;
  /** Writes only if the key is still at this revision: the new one, or null when it has changed. */
  update(key: string, value: T, revision: number): Promise<number | null>;
  /** Writes whatever is there, and returns the new revision. */
  put(key: string, value: T): Promise<number>;
  /** Removes the value. With a revision only while the key is still at it: false when it has changed. */
  delete(key: string, revision?: number): Promise<boolean>;
  /** How much of the room of the whole bucket is taken, 0 to 1. Takes the right to look at its stream. */
  filled(): Promise<number>;
  /**
   * The value now, null for none, and then each change, until the signal ends it; it does not reject. It reads again every
   * `pollMs` (default 250): changes that follow each other faster show only the last. A read that fails is repeated.
   */
  watch(key: string, signal: AbortSignal, options?: { readonly pollMs?: number }): AsyncGenerator<Entry<T> | null>;
};

export type BucketOptions<T> = {
  /** A bucket that `provision` makes, see the topology. */
  readonly bucket: string;
  /** What is read must have this form; values are JSON. */
  readonly schema: ZodType<T>;
  /** Milliseconds that one call may take. */
  readonly deadlineMs: number;
};

/** Bytes of JSON that one value may have. */
export const MAX_VALUE_BYTES = 256 * 1_024;
const POLL_MS = 250;

const KEY = /^[A-Za-z0-9_=-]{1,128}(\.[A-Za-z0-9_=-]{1,128}){0,3}$/;
const DELETED = /^KV-Operation: (DEL|PURGE)\r?$/m;
/** The number of a JetStream answer for a subject that holds nothing; without a stream it is another one. */
const NO_MESSAGE = 10_037;

/** The answer of `STREAM.MSG.GET`; `hdrs` and `data` are base64 and absent when empty. */
const answerSchema = z.union([
  z.object({ error: z.object({ err_code: z.number(), description: z.string() }) }),
  z.object({
    message: z.object({
      seq: z.number(),
      time: z.string(),
      data: z.string().default(''),
      hdrs: z.string().default(''),
    }),
  }),
]);

/** The answer of `STREAM.INFO`, of which the error has no such keys. Without a limit `max_bytes` is -1. */
const sizeSchema = z.object({ config: z.object({ max_bytes: z.number() }), state: z.object({ bytes: z.number() }) });

/** What a key holds: a deleted one holds nothing, at a revision of its own. */
type Held<T> = { readonly entry: Entry<T> | null; readonly revision: number };

/**
 * Opens a bucket, in the layout of JetStream's key-value store (ADR-8: one message a key, on `$KV.<bucket>.<key>`), so that its
 * tools can read it. Not the client's own store: its watch makes a consumer, a right that services do not have, its reads may
 * come from a replica that lags, and it would make a missing bucket.
 */
export function openBucket<T>(connection: Connection, options: BucketOptions<T>): KeyValue<T> {
  const { bucket, deadlineMs } = options;

  const read = (key: string): Promise<Held<T>> =>
    translated(connection, async () => parseAnswer(await request(connection, options, key), key, options));

  const write = (key: string, bytes: Uint8Array, expected?: number, given?: MsgHdrs): Promise<number | null> =>
    translated(connection, async () => {
      try {
        const acknowledgement = await connection.js.publish(subjectOf(bucket, key), bytes, {
          timeout: deadlineMs,
          ...(given === undefined ? {} : { headers: given }),
          ...(expected === undefined ? {} : { expect: { lastSubjectSequence: expected } }),
        });
        return acknowledgement.seq;
      } catch (error) {
        if (apiErrorNumber(error) === API_ERRORS.wrongLastSequence) return null;
        throw error;
      }
    });

  const create = async (key: string, value: T): Promise<number | null> => {
    const bytes = encode(value);
    const first = await write(key, bytes, 0);
    if (first !== null) return first;
    const held = await read(key);
    return held.entry === null && held.revision > 0 ? write(key, bytes, held.revision) : null;
  };

  return {
    get: async (key) => (await read(key)).entry,
    create,
    update: (key, value, revision) => write(key, encode(value), revision),
    put: async (key, value) => written(await write(key, encode(value)), bucket),
    delete: async (key, revision) => {
      const deletion = headers();
      deletion.set('KV-Operation', 'DEL');
      return (await write(key, new Uint8Array(), revision, deletion)) !== null;
    },
    filled: () => translated(connection, async () => filledOf(await inspect(connection, options))),
    watch: (key, signal, { pollMs = POLL_MS } = {}) => changesOf(() => read(key), pollMs, signal),
  };
}

async function* changesOf<T>(
  read: () => Promise<Held<T>>,
  pollMs: number,
  signal: AbortSignal,
): AsyncGenerator<Entry<T> | null> {
  let seen: number | null = null;
  while (!signal.aborted) {
    const held = await read().catch(() => null);
    if (held !== null && held.revision !== seen) {
      seen = held.revision;
      yield held.entry;
    }
    await sleep(pollMs, undefined, { signal }).catch(() => undefined);
  }
}

async function request<T>({ nc }: Connection, options: BucketOptions<T>, key: string): Promise<Uint8Array> {
  const asked = Buffer.from(JSON.stringify({ last_by_subj: subjectOf(options.bucket, key) }));
  const subject = `$JS.API.STREAM.MSG.GET.${bucketStream(options.bucket)}`;
  return (await nc.request(subject, asked, { timeout: options.deadlineMs })).data;
}

async function inspect<T>({ nc }: Connection, { bucket, deadlineMs }: BucketOptions<T>): Promise<Uint8Array> {
  return (await nc.request(`$JS.API.STREAM.INFO.${bucketStream(bucket)}`, '', { timeout: deadlineMs })).data;
}

function filledOf(bytes: Uint8Array): number {
  const { config, state } = sizeSchema.parse(JSON.parse(Buffer.from(bytes).toString()));
  return config.max_bytes <= 0 ? 0 : state.bytes / config.max_bytes;
}

function parseAnswer<T>(bytes: Uint8Array, key: string, { bucket, schema }: BucketOptions<T>): Held<T> {
  const answer = answerSchema.parse(JSON.parse(Buffer.from(bytes).toString()));
  if ('error' in answer) {
    if (answer.error.err_code === NO_MESSAGE) return { entry: null, revision: 0 };
    throw new BrokerError(`${bucket} cannot be read: ${answer.error.description} (${answer.error.err_code})`);
  }
  const { seq, time, data: body, hdrs } = answer.message;
  if (DELETED.test(Buffer.from(hdrs, 'base64').toString())) return { entry: null, revision: seq };
  try {
    const value = schema.parse(JSON.parse(Buffer.from(body, 'base64').toString()));
    return { entry: { value, revision: seq, storedAt: Date.parse(time) }, revision: seq };
  } catch (error) {
    throw new BrokerError(`a value of ${bucket} under ${key.split('.')[0]} does not have its form`, { cause: error });
  }
}

/** A try fails at once without a connection: the client would hold the bytes, answer with a timeout and never send them. */
async function translated<R>(connection: Connection, work: () => Promise<R>): Promise<R> {
  if (!connection.isConnected()) throw new BrokerError('not connected to NATS');
  try {
    return await work();
  } catch (error) {
    if (error instanceof BrokerError || error instanceof TypeError) throw error;
    throw new BrokerError(`a bucket cannot be used: ${describeBrokerFailure(error)}`, { cause: error });
  }
}

function written(revision: number | null, bucket: string): number {
  if (revision === null) throw new BrokerError(`${bucket} refused an unconditional write`);
  return revision;
}

/** A key becomes part of a subject: a wildcard or a space would read or write elsewhere. */
function subjectOf(bucket: string, key: string): string {
  if (!KEY.test(key)) throw new TypeError(`not a key: ${JSON.stringify(key.slice(0, 80))}`);
  return `$KV.${bucket}.${key}`;
}

function encode(value: unknown): Uint8Array {
  const bytes = Buffer.from(JSON.stringify(value));
  if (bytes.length > MAX_VALUE_BYTES) throw new BrokerError(`a value has ${bytes.length} bytes`);
  return bytes;
}
