import { trusted } from 'mongoose';
import { inTime } from '../connection/in-time.ts';
import { databaseNow } from './clock.ts';
import type { EndpointBook } from './endpoint/book.ts';
import type { Lane } from './endpoint/endpoint.ts';
import { noteWaiting } from './endpoint/slots.ts';
import type { DeliveryModels } from './model.ts';

/** Rows that are due for longer than this should be known to their endpoint. */
const OVERDUE_MS = 30_000;
/** Lanes of endpoints that are looked at together, and how often this may be repeated. */
const PAGE = 1_000;
const MAX_PAGES = 50;

type Overdue = { readonly _id: { readonly endpointId: string; readonly lane: Lane }; readonly from: Date };

/**
 * See `DeliveryStore.healDue`. Rows and endpoints are two documents, and a process may die between the two; a document of an endpoint may
 * be lost. So now and then the rows are asked, which are the truth: the oldest first, and on to the younger ones, because what waits for a
 * paused endpoint stays old for days.
 */
export async function healDue(
  models: DeliveryModels,
  book: EndpointBook,
  signal: AbortSignal,
  page = PAGE,
): Promise<number> {
  const now = await databaseNow(models.deliveries, signal);
  let healed = 0;
  for (let place = 0; place < MAX_PAGES; place += 1) {
    const query = () => find(models, now, { skip: place * page, limit: page });
    const overdue = await inTime('find overdue deliveries', signal, query);
    healed += await makeKnown(models, book, overdue, now, signal);
    if (overdue.length < page) break;
  }
  return healed;
}

async function makeKnown(
  models: DeliveryModels,
  book: EndpointBook,
  overdue: readonly Overdue[],
  now: Date,
  signal: AbortSignal,
): Promise<number> {
  const ids = [...new Set(overdue.map(({ _id }) => _id.endpointId))];
  const query = () =>
    models.endpoints
      .find({ _id: trusted({ $in: ids }) }, { waiting: 1 })
      .lean()
      .exec();
  const known = new Map((await inTime('read endpoints', signal, query)).map((one) => [one._id, one.waiting]));
  let healed = 0;
  for (const { _id, from } of overdue) {
    const noted = known.get(_id.endpointId)?.[_id.lane] ?? null;
    if (noted !== null && noted <= now) continue;
    await book.change(_id.endpointId, noteWaiting(_id.lane, from), signal);
    healed += 1;
  }
  return healed;
}

function find(
  { deliveries }: DeliveryModels,
  now: Date,
  { skip, limit }: { readonly skip: number; readonly limit: number },
): Promise<Overdue[]> {
  const before = new Date(now.getTime() - OVERDUE_MS);
  return deliveries
    .aggregate<Overdue>([
      { $match: { nextAttemptAt: { $lt: before } } },
      { $group: { _id: { endpointId: '$endpointId', lane: '$lane' }, from: { $min: '$nextAttemptAt' } } },
      { $sort: { from: 1, _id: 1 } },
      { $skip: skip },
      { $limit: limit },
    ])
    .exec();
}
