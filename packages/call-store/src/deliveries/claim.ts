import { trusted, type Model } from 'mongoose';
import { RetryLaterError } from '@pipeline/contracts';
import { inTime } from '../connection/in-time.ts';
import { leaseFields } from './freeze.ts';
import { toRow } from './mapping.ts';
import type { DeliveryDocument } from './model.ts';
import type { DeliveryRow, Lease } from './row.ts';

export type ClaimOptions = Lease & {
  /** Rows to take at most. */
  readonly limit: number;
  /** Rows of one endpoint that may be in work at the same time, everywhere. Default 8. */
  readonly perEndpoint?: number;
  readonly signal: AbortSignal;
};

const DEFAULT_PER_ENDPOINT = 8;
/** Endpoints that one round looks at; the next round begins with the oldest due row again. */
const MAX_ENDPOINTS = 256;

/**
 * See `DeliveryStore.claimDue`. One round asks for the oldest due row of an endpoint that it has not seen, takes that endpoint's
 * share, and goes on. "Now" is the server's clock at the start of the round: what is due then is due at every later write.
 */
export async function claimDue(deliveries: Model<DeliveryDocument>, options: ClaimOptions): Promise<DeliveryRow[]> {
  const { limit, perEndpoint = DEFAULT_PER_ENDPOINT, signal } = options;
  const now = await databaseNow(deliveries, signal);
  const claimed: DeliveryRow[] = [];
  const seen: string[] = [];
  while (claimed.length < limit && seen.length < MAX_ENDPOINTS) {
    const endpointId = await nextEndpoint(deliveries, seen, now, signal);
    if (endpointId === null) break;
    seen.push(endpointId);
    const free = perEndpoint - (await inWork(deliveries, endpointId, now, signal));
    const share = Math.min(free, limit - claimed.length);
    claimed.push(...(await claimOf(deliveries, endpointId, share, now, options)));
  }
  return claimed;
}

async function nextEndpoint(
  deliveries: Model<DeliveryDocument>,
  seen: readonly string[],
  now: Date,
  signal: AbortSignal,
): Promise<string | null> {
  const filter = { nextAttemptAt: trusted({ $lte: now }), endpointId: trusted({ $nin: [...seen] }) };
  const query = () => deliveries.findOne(filter, { endpointId: 1 }).sort({ nextAttemptAt: 1 }).lean().exec();
  return (await inTime('find a due delivery', signal, query))?.endpointId ?? null;
}

/** Rows of an endpoint under a lease that has not ended. */
async function inWork(
  deliveries: Model<DeliveryDocument>,
  endpointId: string,
  now: Date,
  signal: AbortSignal,
): Promise<number> {
  const filter = { endpointId, state: 'delivering' as const, nextAttemptAt: trusted({ $gt: now }) };
  return inTime('count deliveries in work', signal, () => deliveries.countDocuments(filter).exec());
}

async function claimOf(
  deliveries: Model<DeliveryDocument>,
  endpointId: string,
  share: number,
  now: Date,
  lease: Lease & { readonly signal: AbortSignal },
): Promise<DeliveryRow[]> {
  const rows: DeliveryRow[] = [];
  const filter = { endpointId, nextAttemptAt: trusted({ $lte: now }) };
  const update = [{ $set: { ...leaseFields(lease), updatedAt: '$$NOW' } }];
  const options = { sort: { nextAttemptAt: 1 }, updatePipeline: true, returnDocument: 'after' } as const;
  while (rows.length < share) {
    const claim = () => deliveries.findOneAndUpdate(filter, update, options).lean().exec();
    const row = await inTime('claim a delivery', lease.signal, claim);
    if (row === null) break;
    rows.push(toRow(row));
  }
  return rows;
}

/** The clock of the server, which also sets due times and leases. */
async function databaseNow(deliveries: Model<DeliveryDocument>, signal: AbortSignal): Promise<Date> {
  const { db } = deliveries.db;
  if (db === undefined) throw new RetryLaterError('MongoDB was never reached', { deadline: 'none' });
  const hello = await inTime('read the clock', signal, () => db.command({ hello: 1 }));
  if (!(hello['localTime'] instanceof Date)) throw new TypeError('the server does not tell its time');
  return hello['localTime'];
}
