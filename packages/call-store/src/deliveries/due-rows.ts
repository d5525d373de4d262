import { trusted, type Model } from 'mongoose';
import { inTime } from '../connection/in-time.ts';
import type { Endpoint, Lane } from './endpoint/endpoint.ts';
import type { DeliveryDocument } from './model.ts';

/** A row and since when, or from when on, it is due. */
export type WaitingRow = { readonly _id: string; readonly nextAttemptAt: Date };
/** The oldest rows of lanes; a lane that was not read is not there. */
export type Pages = Readonly<Partial<Record<Lane, readonly WaitingRow[]>>>;

type PageSizes = { readonly limit: number; readonly later: number };

/** As `$exists`, but as a bound of the index: the local stand-in looks through all rows of an endpoint and lane otherwise. */
export const EPOCH = new Date(0);

/** The oldest rows of each lane that may send: one more than may be taken, so that what stays behind is known. */
export async function readPages(
  deliveries: Model<DeliveryDocument>,
  endpoint: Endpoint,
  now: Date,
  { limit, later }: PageSizes,
  signal: AbortSignal,
): Promise<Pages> {
  const page = (lane: Lane, size: number): Promise<WaitingRow[]> =>
    oldest(deliveries, { endpointId: endpoint.id, lane }, size + 1, signal);
  const isOpen = endpoint.state === 'active' || (endpoint.resumesAt !== null && endpoint.resumesAt <= now);
  // A test that ended with its process waits since the end of its lease, which nobody may have noted so far.
  const hasTest = endpoint.waiting.test !== null || endpoint.leases.some((lease) => lease.lane === 'test');
  const [first, after, test] = await Promise.all([
    isOpen ? page('first', limit) : null,
    isOpen ? page('later', Math.max(0, later)) : null,
    hasTest ? page('test', limit) : null,
  ]);
  return { ...(first && { first }), ...(after && { later: after }), ...(test && { test }) };
}

/** The oldest rows of one lane, at most `limit`; `before`: only those that are due earlier than that. */
export function oldest(
  deliveries: Model<DeliveryDocument>,
  { before, ...place }: { readonly endpointId: string; readonly lane: Lane; readonly before?: Date },
  limit: number,
  signal: AbortSignal,
): Promise<WaitingRow[]> {
  const nextAttemptAt = trusted({ $gt: EPOCH, ...(before && { $lt: before }) });
  const query = () =>
    deliveries
      .find({ ...place, nextAttemptAt }, { nextAttemptAt: 1 })
      .sort({ nextAttemptAt: 1 })
      .limit(limit)
      .lean<WaitingRow[]>()
      .exec();
  return inTime('find due deliveries', signal, query);
}
