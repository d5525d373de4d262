import { callSidSchema } from '@pipeline/contracts';
import { inTime } from '../connection/in-time.ts';
import { checked } from '../connection/scalars.ts';
import { internalsOf, type Store } from '../connection/store.ts';
import { fromDocument, type StoredCall } from './mapping.ts';
import { CALL_LOG_PLAN, callLogModel } from './model.ts';

/** Reads CallLogs, from the primary. */
export type CallLogReader = {
  /** What is stored for a call. Throws a TypeError for what is no CallSid, RetryLaterError while the database cannot answer. */
  find(callSid: string, signal: AbortSignal): Promise<StoredCall>;
};

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
  };
}
