import { STREAMS } from '@pipeline/contracts';
import type { Connection, ConnectionIdentity } from './connection.ts';
import { messageFrom } from './direct-get.ts';
import { withOperator } from './provision.ts';
import { CLAIM_STREAM, createTopology } from './topology.ts';
import { trimBefore, type StreamFill, type TrimPlan } from './trim-plan.ts';
import { dropWorkedRetention } from './worked-retention.ts';

export type TrimOptions = ConnectionIdentity & {
  /** Only says what would be removed. */
  readonly dryRun?: boolean;
  /** Milliseconds for which history stays whatever happens. Default 24 h. */
  readonly keepMs?: number;
  /** The part of `max_bytes` up to which a stream is left alone. Default 0.6. */
  readonly fillLimit?: number;
  /** Milliseconds since 1970. Default the broker's clock, which stamped the messages. */
  readonly now?: () => number;
};

/** What became of one stream. `removed` counts messages: those that were purged, or with `dryRun` at most would be. */
export type TrimmedStream = StreamFill & {
  readonly stream: string;
  readonly outcome: 'room' | 'no_consumer' | 'unsettled' | 'young' | 'trimmed' | 'would_trim' | 'kept';
  readonly messages: number;
  readonly removed: number;
};

const KEEP_MS = 24 * 3_600_000;
const FILL_LIMIT = 0.6;

/**
 * Makes room in the streams of events. History must not block work: a stream that is fuller than `fillLimit` loses what every
 * consumer has settled and is older than `keepMs`. What is not settled is never touched, however full the stream is, and a
 * stream whose consumer is missing is left alone: the new one has to read everything. Of commands that end a retention see
 * {@link dropWorkedRetention}. Dead letters and large parts have no consumer and are only looked at: they go by age. Repeating it and two at
 * once are safe.
 * Throws a BrokerError when there is no broker.
 */
export async function trimBroker(options: TrimOptions): Promise<TrimmedStream[]> {
  const { consumers } = createTopology(options.config);
  return withOperator(options, async (connection) => {
    const trimmed: TrimmedStream[] = [];
    for (const { stream, name } of consumers) {
      const worked = stream === COMMANDS ? await trimRetention(connection, name, options) : 0;
      const found = await trimStream(connection, stream, name, options);
      const outcome = options.dryRun === true ? 'would_trim' : 'trimmed';
      trimmed.push(worked === 0 ? found : { ...found, outcome, removed: worked + found.removed });
    }
    for (const stream of KEPT) trimmed.push(await lookAt(connection, stream, options));
    return trimmed;
  });
}

const COMMANDS = STREAMS['call.erase'];

async function trimRetention(connection: Connection, consumer: string, { dryRun }: TrimOptions): Promise<number> {
  const floors = await ackFloors(connection, COMMANDS);
  if (!floors.has(consumer)) return 0;
  return dropWorkedRetention(connection, { end: Math.min(...floors.values()) + 1, dryRun: dryRun === true });
}

/** Where nothing is settled: a full one holds up calls until something in it is old, so somebody has to be told before. */
const KEPT = [STREAMS['call.dead'], CLAIM_STREAM];

async function lookAt(
  { jsm }: Connection,
  stream: string,
  { fillLimit = FILL_LIMIT }: TrimOptions,
): Promise<TrimmedStream> {
  const { config, state } = await jsm.streams.info(stream);
  const fill = { bytes: state.bytes, maxBytes: config.max_bytes };
  const outcome = fill.maxBytes > 0 && fill.bytes > fillLimit * fill.maxBytes ? 'kept' : 'room';
  return { stream, ...fill, messages: state.messages, removed: 0, outcome };
}

async function trimStream(
  connection: Connection,
  stream: string,
  consumer: string,
  options: TrimOptions,
): Promise<TrimmedStream> {
  const { config, state, ts } = await connection.jsm.streams.info(stream);
  connection.clock.note(ts);
  const fill = { bytes: state.bytes, maxBytes: config.max_bytes };
  const found = { stream, ...fill, messages: state.messages, removed: 0 };
  const limit = options.fillLimit ?? FILL_LIMIT;
  if (fill.maxBytes <= 0 || fill.bytes <= limit * fill.maxBytes) return { ...found, outcome: 'room' };
  const floors = await ackFloors(connection, stream);
  if (!floors.has(consumer)) return { ...found, outcome: 'no_consumer' };
  const cutoff = (options.now ?? connection.clock.now)() - (options.keepMs ?? KEEP_MS);
  const isOld = (seq: number): Promise<boolean> => isOlder(connection, stream, seq, cutoff);
  const plan: TrimPlan = await trimBefore({ firstSeq: state.first_seq, ackFloors: [...floors.values()] }, isOld);
  if (plan.kind !== 'trim') return { ...found, outcome: plan.kind };
  if (options.dryRun === true) return { ...found, outcome: 'would_trim', removed: plan.before - state.first_seq };
  const { purged } = await connection.jsm.streams.purge(stream, { seq: plan.before });
  return { ...found, outcome: 'trimmed', removed: purged };
}

/** How far each consumer of a stream has settled everything, whoever made it: a tap or a replay counts like the stage. */
async function ackFloors({ jsm }: Connection, stream: string): Promise<Map<string, number>> {
  const floors = new Map<string, number>();
  for await (const { name, ack_floor: floor } of jsm.consumers.list(stream)) floors.set(name, floor.stream_seq);
  return floors;
}

/** Whether there is a message from `seq` on whose first is older than a time in milliseconds. */
async function isOlder(connection: Connection, stream: string, seq: number, cutoff: number): Promise<boolean> {
  const next = await messageFrom(connection, stream, seq);
  return next !== null && next.storedAt < cutoff;
}
