import { trusted } from 'mongoose';
import { callSidSchema } from '@pipeline/contracts';
import { inTime } from '../connection/in-time.ts';
import { checked } from '../connection/scalars.ts';
import { internalsOf, type Store } from '../connection/store.ts';
import { DELIVERY_PLAN, deliveryModels } from './model.ts';

/** What was emptied: rows that lost their bytes, and attempts that lost what was said in them. */
export type Forgotten = { readonly bodies: number; readonly attempts: number };

/**
 * Removes what deliveries hold of calls. Rows stay, with ids, times and states, so that nothing is announced a second time; of
 * attempts the status and the phases stay. Each function takes at most {@link MAX_FORGOTTEN} calls, may be repeated, and throws
 * RetryLaterError while the database cannot answer, a TypeError for what is no CallSid, a RangeError for more.
 */
export type ForgettingDeliveries = {
  /**
   * For erased calls: whatever their webhooks wait for is cancelled, also what is being sent at this moment, whose sender then has
   * nothing to settle. `call.erased` is left alone: it holds ids, and has still to leave.
   */
  erase(callSids: readonly string[], signal: AbortSignal): Promise<Forgotten>;
  /** For calls whose retention is over: only of webhooks that are at an end. */
  retire(callSids: readonly string[], signal: AbortSignal): Promise<Forgotten>;
  /** Which of these calls have a webhook that is not at an end. */
  open(callSids: readonly string[], signal: AbortSignal): Promise<ReadonlySet<string>>;
};

/** Calls that one step of {@link ForgettingDeliveries} takes. */
export const MAX_FORGOTTEN = 500;

const OPEN = ['pending', 'delivering'] as const;
/** As an attempt that heard nothing: see {@link AttemptRecord}. */
const WORDLESS = { requestHeaders: {}, responseHeaders: {}, responseExcerpt: null };

/** The forgetting side of deliveries on a store. */
export function createForgettingDeliveries(store: Store): ForgettingDeliveries {
  const { connection, expect } = internalsOf(store);
  expect(DELIVERY_PLAN);
  const { deliveries, attempts } = deliveryModels(connection('delivery'));

  const rowsOf = (callSids: readonly string[]) => {
    if (callSids.length > MAX_FORGOTTEN) throw new RangeError(`more than ${MAX_FORGOTTEN} calls at once`);
    const ids = callSids.map((callSid) => checked(callSidSchema, callSid, 'callSid'));
    return { callSid: trusted({ $in: ids }), eventType: trusted({ $ne: 'call.erased' as const }) };
  };
  /** Bodies before attempts: a sender that is cut off writes no attempt afterwards. */
  const forget = async (filter: object, change: object, signal: AbortSignal): Promise<Forgotten> => {
    const emptied = await inTime('empty deliveries', signal, () =>
      deliveries.updateMany({ ...filter, body: trusted({ $exists: true }) }, change).exec(),
    );
    const rows = await inTime('list deliveries to be emptied', signal, () =>
      deliveries.find(filter, { _id: 1 }).lean().exec(),
    );
    // By the driver itself, as they were written: the model knows only what is queried elsewhere.
    const said = {
      deliveryId: { $in: rows.map(({ _id }) => _id) },
      $or: [{ requestHeaders: { $ne: {} } }, { responseExcerpt: { $ne: null } }],
    };
    const silence = () => attempts.collection.updateMany(said, { $set: WORDLESS });
    const silenced = await inTime('empty attempts', signal, silence);
    return { bodies: emptied.modifiedCount, attempts: silenced.modifiedCount };
  };

  return {
    erase: async (callSids, signal) => {
      const filter = rowsOf(callSids);
      const open = { ...filter, state: trusted({ $in: [...OPEN] }) };
      const cancelled = { state: { $literal: 'cancelled' }, lease: { $literal: null }, updatedAt: '$$NOW' };
      const update = [{ $set: cancelled }, { $unset: 'nextAttemptAt' }];
      const stop = () => deliveries.updateMany(open, update, { updatePipeline: true }).exec();
      await inTime('cancel deliveries', signal, stop);
      return forget(filter, { $unset: { body: 1 } }, signal);
    },
    retire: async (callSids, signal) => {
      const ended = { ...rowsOf(callSids), state: trusted({ $nin: [...OPEN] }) };
      return forget(ended, { $unset: { body: 1 } }, signal);
    },
    open: async (callSids, signal) => {
      const filter = { ...rowsOf(callSids), state: trusted({ $in: [...OPEN] }) };
      const query = () => deliveries.find(filter, { _id: 0, callSid: 1 }).lean().exec();
      const found = await inTime('see which calls have open deliveries', signal, query);
      return new Set(found.flatMap((row) => row.callSid ?? []));
    },
  };
}
