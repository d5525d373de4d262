import { trusted } from 'mongoose';
import { callSidSchema } from '@pipeline/contracts';
import { inTime } from '../connection/in-time.ts';
import { checked } from '../connection/scalars.ts';
import { internalsOf, type Store } from '../connection/store.ts';
import { DELIVERY_PLAN, deliveryModels } from './model.ts';

/**
 * Which of at most {@link MAX_ANNOUNCED} calls have a delivery, in whatever state: the row stays when the rest is emptied. Throws
 * RetryLaterError while the database cannot answer, a TypeError for what is no CallSid, a RangeError for more.
 */
export type AnnouncedCalls = (callSids: readonly string[], signal: AbortSignal) => Promise<ReadonlySet<string>>;

/** Calls that one look at {@link AnnouncedCalls} takes. */
export const MAX_ANNOUNCED = 500;

/** For who reads deliveries and writes none. The store is unready until the collections and their indexes are there. */
export function createAnnouncedCalls(store: Store): AnnouncedCalls {
  const { connection, expect } = internalsOf(store);
  expect(DELIVERY_PLAN);
  const { deliveries } = deliveryModels(connection('delivery'));
  return async (callSids, signal) => {
    if (callSids.length > MAX_ANNOUNCED) throw new RangeError(`more than ${MAX_ANNOUNCED} calls at once`);
    const ids = callSids.map((callSid) => checked(callSidSchema, callSid, 'callSid'));
    const query = () =>
      deliveries
        .find({ callSid: trusted({ $in: ids }) }, { _id: 0, callSid: 1 })
        .lean()
        .exec();
    const found = ids.length === 0 ? [] : await inTime('see which calls were announced', signal, query);
    return new Set(found.flatMap((row) => row.callSid ?? []));
  };
}
