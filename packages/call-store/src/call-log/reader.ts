import { trusted } from 'mongoose';
import { callSidSchema } from '@pipeline/contracts';
import { inTime } from '../connection/in-time.ts';
import { checked } from '../connection/scalars.ts';
import { internalsOf, type Store } from '../connection/store.ts';
import { pageOfEnded, pageOfErased, type EndedMark, type EndedRange, type Tombstone } from './forgotten.ts';
import { fromDocument, type StoredCall } from './mapping.ts';
import { CALL_LOG_PLAN, callLogModel } from './model.ts';
import { pageOfStored, type StoredPage, type StoredRange } from './stored-range.ts';

/** What became of a call, without its words. */
export type StoredKind = Exclude<StoredCall['kind'], 'none'>;

/** Reads CallLogs, from the primary. */
export type CallLogReader = {
  /** What is stored for a call. Throws a TypeError for what is no CallSid, RetryLaterError while the database cannot answer. */
  find(callSid: string, signal: AbortSignal): Promise<StoredCall>;
  /**
   * What is stored for each of at most {@link MAX_KINDS} calls; a call of which nothing is stored is absent. One query, whatever the
   * size of the documents. Throws as `find` does, and a RangeError for more.
   */
  kinds(callSids: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, StoredKind>>;
  /** The business of whatever is stored for a call, be it a tombstone; null when nothing is. Reads no word of the call. */
  ownerOf(callSid: string, signal: AbortSignal): Promise<string | null>;
  /** The CallLogs that were stored in a stretch of time, oldest first, page by page. Tombstones and expired calls are not among them. */
  storedIn(range: StoredRange, signal: AbortSignal): Promise<StoredPage>;
  /** The tombstones since a time, earliest first; `after` the last one of the page before. At most `limit`, up to 1,000. */
  erasedSince(page: Parameters<typeof pageOfErased>[1], signal: AbortSignal): Promise<Tombstone[]>;
  /** CallLogs of a business whose call ended before a time, oldest first, page by page; see {@link EndedRange}. */
  endedBefore(range: EndedRange, signal: AbortSignal): Promise<EndedMark[]>;
};

/** Calls that one look at {@link CallLogReader.kinds} takes. */
export const MAX_KINDS = 1_000;

/** A reader on a store. The store is unready until the collection and its indexes are there. */
export function createCallLogReader(store: Store): CallLogReader {
  const { connection, expect } = internalsOf(store);
  expect(CALL_LOG_PLAN);
  const model = callLogModel(connection('calls'));
  return {
    find: async (callSid, signal) => {
      const id = checked(callSidSchema, callSid, 'callSid');
      return fromDocument(await inTime('read a CallLog', signal, () => model.findById(id).lean().exec()));
    },
    kinds: async (callSids, signal) => {
      if (callSids.length > MAX_KINDS) throw new RangeError(`more than ${MAX_KINDS} calls at once`);
      const ids = callSids.map((callSid) => checked(callSidSchema, callSid, 'callSid'));
      const query = () =>
        model
          .find({ _id: trusted({ $in: ids }) }, { erased: 1, expired: 1 })
          .lean()
          .exec();
      const found = ids.length === 0 ? [] : await inTime('see which calls are stored', signal, query);
      return new Map(found.map((document) => [document._id, kindOf(document)]));
    },
    ownerOf: async (callSid, signal) => {
      const id = checked(callSidSchema, callSid, 'callSid');
      const query = () => model.findById(id, { businessId: 1 }).lean().exec();
      return (await inTime('see whose a call is', signal, query))?.businessId ?? null;
    },
    storedIn: (range, signal) => pageOfStored(model, range, signal),
    erasedSince: (page, signal) => pageOfErased(model, page, signal),
    endedBefore: (range, signal) => pageOfEnded(model, range, signal),
  };
}

function kindOf(document: object): StoredKind {
  if ('erased' in document && document.erased === true) return 'erased';
  return 'expired' in document && document.expired === true ? 'expired' : 'call';
}
