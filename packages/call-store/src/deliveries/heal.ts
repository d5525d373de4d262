import { trusted } from 'mongoose';
import { inTime } from '../connection/in-time.ts';
import { databaseNow } from './clock.ts';
import type { EndpointBook } from './endpoint/book.ts';
import type { Lane } from './endpoint/endpoint.ts';
import { noteWaiting } from './endpoint/slots.ts';
import type { DeliveryModels } from './model.ts';

/** Rows that are due for longer than this should be known to their endpoint. */
const OVERDUE_MS = 30_000;
const MAX_ENDPOINTS = 1_000;

type Overdue = { readonly _id: { readonly endpointId: string; readonly isTest: boolean }; readonly from: Date };

/**
 * See `DeliveryStore.healDue`. Rows and endpoints are two documents, and a process may die between the two; a document of an endpoint may
 * be lost. So now and then the rows are asked, which are the truth.
 */
export async function healDue(models: DeliveryModels, book: EndpointBook, signal: AbortSignal): Promise<number> {
  const now = await databaseNow(models.deliveries, signal);
  const overdue = await inTime('find overdue deliveries', signal, () => find(models, now));
  const ids = [...new Set(overdue.map(({ _id }) => _id.endpointId))];
  const known = await inTime('read endpoints', signal, () =>
    models.endpoints
      .find({ _id: trusted({ $in: ids }) }, { waitingFrom: 1, testFrom: 1 })
      .lean()
      .exec(),
  );
  let healed = 0;
  for (const { _id, from } of overdue) {
    const endpoint = known.find((one) => one._id === _id.endpointId);
    const noted = (_id.isTest ? endpoint?.testFrom : endpoint?.waitingFrom) ?? null;
    if (noted !== null && noted <= now) continue;
    const lane: Lane = _id.isTest ? 'test' : 'later';
    await book.change(_id.endpointId, noteWaiting(lane, from), signal);
    healed += 1;
  }
  return healed;
}

function find({ deliveries }: DeliveryModels, now: Date): Promise<Overdue[]> {
  const before = new Date(now.getTime() - OVERDUE_MS);
  return deliveries
    .aggregate<Overdue>([
      { $match: { nextAttemptAt: { $lt: before } } },
      {
        $group: {
          _id: { endpointId: '$endpointId', isTest: { $eq: ['$lane', 'test'] } },
          from: { $min: '$nextAttemptAt' },
        },
      },
      { $limit: MAX_ENDPOINTS },
    ])
    .exec();
}
