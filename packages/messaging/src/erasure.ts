import { callFilter, CRASH_BUCKET, GATEWAY_BUCKET, PAID_BUCKET, STREAMS, type StageName } from '@pipeline/contracts';
import { callChunks, entrySubject, keyOfChunk } from './claim-store.ts';
import { entriesOfCalls } from './earlier-entries.ts';
import type { Connection, ConnectionIdentity } from './connection.ts';
import { withOperator } from './provision.ts';
import { bucketStream, CLAIM_STREAM, CRASH_STREAM, PAID_STREAM } from './topology.ts';

/** How many messages were removed from one stream or bucket. */
export type Purged = { readonly stream: string; readonly count: number };

/** From first to last, so that no stage finds its input after its result is gone. */
const WHOLE = ['call.ended', 'call.transcribed', 'call.summarized', 'call.dead'] as const;
const NOTICES = STREAMS['call.extracted'];
const NOTIFIED: StageName = 'webhook-dispatcher';
const GATEWAY_STREAM = bucketStream(GATEWAY_BUCKET);

/** The streams that {@link purgeCalls} removes messages from: whoever calls it needs the right to purge these. */
export const PURGED_STREAMS: readonly string[] = [
  ...WHOLE.map((kind) => STREAMS[kind]),
  NOTICES,
  CRASH_STREAM,
  PAID_STREAM,
  GATEWAY_STREAM,
  CLAIM_STREAM,
];

/** Calls whose subjects are purged at the same time. */
const AT_ONCE = 8;

/**
 * Removes everything that the broker stores of these calls: their events from first to last, dead letters, crash counts, what was paid
 * for them, large parts, and what the gateways share about them. What stays holds ids alone: the erase command, and notices that webhook-dispatcher has still
 * to settle, for one of them tells of the erasure. A stage may still hold a call in its hand, so whoever erases repeats this; repeating
 * is safe, and so are two at once. Needs the rights of callctl or eraser. Throws a BrokerError when there is no broker, a TypeError for
 * what is no CallSid, before anything is removed.
 */
export async function purgeCalls(who: ConnectionIdentity, callSids: readonly string[]): Promise<Purged[]> {
  const calls = new Set(callSids);
  // What is no token would match other calls: it throws here.
  for (const callSid of calls) callFilter('call.ended', callSid);
  return withOperator(who, async (connection) => {
    const counts = new Map(PURGED_STREAMS.map((stream) => [stream, 0]));
    const purge = createPurge(connection, counts);
    const settled = await settledNotices(connection);
    const waiting = [...calls];
    const earlier = new Set<string>();
    const work = async (): Promise<void> => {
      for (let callSid = waiting.pop(); callSid !== undefined; callSid = waiting.pop()) {
        for (const kind of WHOLE) await purge(STREAMS[kind], { filter: callFilter(kind, callSid) });
        await purge(NOTICES, { filter: callFilter('call.extracted', callSid), seq: settled + 1 });
        await purge(CRASH_STREAM, { filter: `$KV.${CRASH_BUCKET}.*.${callSid}.>` });
        await purge(PAID_STREAM, { filter: `$KV.${PAID_BUCKET}.*.${callSid}.>` });
        await purge(GATEWAY_STREAM, { filter: `$KV.${GATEWAY_BUCKET}.*.${callSid}` });
        await purgeObjects(connection, callSid, purge, earlier);
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, calls.size) }, work));
    for (const filter of await entriesOfCalls(connection, earlier)) await purge(CLAIM_STREAM, { filter });
    for (const callSid of earlier) await purge(CLAIM_STREAM, { filter: callChunks(callSid) });
    return [...counts].map(([stream, count]) => ({ stream, count }));
  });
}

type Purge = (stream: string, what: { readonly filter: string; readonly seq?: number }) => Promise<void>;

function createPurge({ jsm }: Connection, counts: Map<string, number>): Purge {
  return async (stream, what) => {
    const { purged } = await jsm.streams.purge(stream, what);
    counts.set(stream, (counts.get(stream) ?? 0) + purged);
  };
}

/** The last notice that, with everything before it, is settled. */
async function settledNotices({ jsm }: Connection): Promise<number> {
  const { ack_floor: floor } = await jsm.consumers.info(NOTICES, NOTIFIED);
  return floor.stream_seq;
}

/**
 * Entries first, for only chunks tell their names: a run that dies between finds both again. An entry that is written just after its chunks
 * went holds ids alone, and goes with its age. Chunks that tell no name are left to the caller, by call.
 */
async function purgeObjects({ jsm }: Connection, callSid: string, purge: Purge, earlier: Set<string>): Promise<void> {
  const { state } = await jsm.streams.info(CLAIM_STREAM, { subjects_filter: callChunks(callSid) });
  for (const subject of Object.keys(state.subjects ?? {})) {
    const key = keyOfChunk(subject);
    if (key === null) earlier.add(callSid);
    else await purge(CLAIM_STREAM, { filter: entrySubject(key) });
  }
  if (!earlier.has(callSid)) await purge(CLAIM_STREAM, { filter: callChunks(callSid) });
}
