import { callFilter, CRASH_BUCKET, GATEWAY_BUCKET, STREAMS, type SubjectKind } from '@pipeline/contracts';
import { callChunks, entrySubject, keyOfEntry } from './claim-store.ts';
import type { Connection, ConnectionIdentity } from './connection.ts';
import { withOperator } from './provision.ts';
import { bucketStream, CLAIM_STREAM, CRASH_STREAM } from './topology.ts';

/** How many messages of a call were removed from one stream or bucket. */
export type Purged = { readonly stream: string; readonly count: number };

/** From first to last, so that no stage finds its input after its result is gone. */
const ORDER: readonly SubjectKind[] = [
  'call.ended',
  'call.transcribed',
  'call.summarized',
  'call.extracted',
  'call.dead',
];

/**
 * Removes everything that the broker stores of a call: its events from first to last, its dead letters, its crash counts, its
 * large parts, and what the gateways share about it. The erase command stays: it holds ids alone. A stage may still hold the call in its hand, so whoever erases
 * repeats this; repeating is safe. Needs an operator's rights. Throws a BrokerError when there is no broker.
 */
export async function purgeCall(who: ConnectionIdentity, callSid: string): Promise<Purged[]> {
  return withOperator(who, async (connection) => {
    const purged: Purged[] = [];
    for (const kind of ORDER) purged.push(await purge(connection, STREAMS[kind], callFilter(kind, callSid)));
    purged.push(await purge(connection, CRASH_STREAM, `$KV.${CRASH_BUCKET}.*.${callSid}.>`));
    purged.push(await purge(connection, bucketStream(GATEWAY_BUCKET), `$KV.${GATEWAY_BUCKET}.*.${callSid}`));
    purged.push(await purgeObjects(connection, callSid));
    return purged;
  });
}

async function purgeObjects(connection: Connection, callSid: string): Promise<Purged> {
  let { count } = await purge(connection, CLAIM_STREAM, callChunks(callSid));
  // The key is encoded into one token, so entries cannot be filtered by call: they are listed and decoded.
  const all = await connection.jsm.streams.info(CLAIM_STREAM, { subjects_filter: entrySubject('').concat('>') });
  for (const subject of Object.keys(all.state.subjects ?? {})) {
    if (keyOfEntry(subject).split('/')[1] !== callSid) continue;
    count += (await purge(connection, CLAIM_STREAM, subject)).count;
  }
  return { stream: CLAIM_STREAM, count };
}

async function purge({ jsm }: Connection, stream: string, filter: string): Promise<Purged> {
  const { purged } = await jsm.streams.purge(stream, { filter });
  return { stream, count: purged };
}
