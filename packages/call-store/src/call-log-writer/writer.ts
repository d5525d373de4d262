import { trusted, type Model } from 'mongoose';
import {
  businessIdSchema,
  callSidSchema,
  newCallLogSchema,
  revisionSchema,
  type CallLog,
  type NewCallLog,
} from '@pipeline/contracts';
import { fromDocument, toCallLog, toContent, type StoredCall } from '../call-log/mapping.ts';
import { CALL_LOG_PLAN, callLogModel, type StoredDocument } from '../call-log/model.ts';
import { inTime } from '../connection/in-time.ts';
import { checked } from '../connection/scalars.ts';
import { internalsOf, type Store } from '../connection/store.ts';
import { writeFenced, type Found } from './fence.ts';
import { fitCallLog } from './fit.ts';
import { nextRevision, shell, tombstone } from './pipelines.ts';

/** How storing a CallLog ended. Each kind may be the answer to a repetition, so each is a good end. */
export type StoreResult =
  /** Written: this is now the CallLog. Of a revision that failed, with `failed_revision` and the content of before. */
  | { readonly kind: 'stored'; readonly callLog: CallLog }
  /** An equal or higher revision stands, or the call is another business's, and nothing was written: this is the CallLog. */
  | { readonly kind: 'kept'; readonly callLog: CallLog }
  /** The call is erased, or its retention is over: nothing was written and nothing may follow. Drop and acknowledge. */
  | { readonly kind: 'erased' };

/** The only writer of CallLogs (L3). */
export type CallLogWriter = {
  /**
   * Stores a revision of a CallLog, if it is higher than the one that stands. Throws RetryLaterError while the database cannot
   * answer (repeat it: the outcome is the same), PermanentError `EVENT_TOO_LARGE` for what cannot fit ({@link fitCallLog}).
   */
  store(log: NewCallLog, signal: AbortSignal): Promise<StoreResult>;
  /**
   * Puts the tombstone in place of the call, whether there was one or not; from then on the call stays erased. `already` when it
   * was erased before; `other_business` when the call belongs to another business, and then nothing is written.
   */
  erase(
    call: { readonly callSid: string; readonly businessId: string; readonly revision: number },
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'erased' | 'already' | 'other_business' }>;
  /**
   * Empties a CallLog to the shell that retention leaves, if it still stands at this revision and its call ended before a time;
   * otherwise nothing is written, and `kept` is the answer. The shell removes itself some weeks after the end of the call.
   */
  expire(
    call: {
      readonly callSid: string;
      readonly businessId: string;
      readonly revision: number;
      readonly endedBefore: Date;
    },
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'expired' | 'kept' }>;
};

/** The writer on a store. The database refuses it to every user but extractor's. */
export function createCallLogWriter(store: Store): CallLogWriter {
  const { connection, expect } = internalsOf(store);
  expect(CALL_LOG_PLAN);
  const model = callLogModel(connection('calls'));
  return {
    store: async (log, signal) => {
      const checkedLog = newCallLogSchema.parse(log);
      const outcome = await writeFenced({
        write: () => inTime('write a CallLog', signal, () => upsert(model, checkedLog)),
        look: () => look(model, checkedLog.callSid, signal),
        stands: (found) => found.kind !== 'call' || isKept(found.callLog, checkedLog),
      });
      if (outcome.kind === 'written') return { kind: 'stored', callLog: outcome.value };
      // An expired shell refuses like a tombstone: a late or repeated result must not bring back what retention removed.
      return outcome.found.kind === 'call' ? { kind: 'kept', callLog: outcome.found.callLog } : { kind: 'erased' };
    },
    erase: async (call, signal) => {
      const callSid = checked(callSidSchema, call.callSid, 'callSid');
      const businessId = checked(businessIdSchema, call.businessId, 'businessId');
      const revision = checked(revisionSchema, call.revision, 'revision');
      const outcome = await writeFenced({
        write: () => inTime('write a tombstone', signal, () => bury(model, callSid, businessId, revision)),
        look: () => look(model, callSid, signal),
        stands: (found) => found.kind === 'erased' || businessOf(found) !== businessId,
      });
      if (outcome.kind === 'written') return { kind: 'erased' };
      return { kind: businessOf(outcome.found) === businessId ? 'already' : 'other_business' };
    },
    expire: async (call, signal) => {
      const filter = {
        _id: checked(callSidSchema, call.callSid, 'callSid'),
        businessId: checked(businessIdSchema, call.businessId, 'businessId'),
        revision: checked(revisionSchema, call.revision, 'revision'),
        endedAt: trusted({ $lt: call.endedBefore }),
        erased: trusted({ $ne: true }),
        expired: trusted({ $ne: true }),
      };
      const write = () => model.updateOne(filter, shell(), { updatePipeline: true }).exec();
      const { matchedCount } = await inTime('empty a CallLog', signal, write);
      return { kind: matchedCount === 1 ? 'expired' : 'kept' };
    },
  };
}

/** A call never changes its business: a result that names another one would show the words of one business to the other. */
function isKept(stored: CallLog, log: NewCallLog): boolean {
  return stored.businessId !== log.businessId || stored.revision >= log.revision;
}

/** Null when the server wrote and does not show it: `secantusd-rs` does so after a race that mongod repeats by itself. */
async function upsert(model: Model<StoredDocument>, log: NewCallLog): Promise<CallLog | null> {
  const fence = {
    businessId: log.businessId,
    revision: trusted({ $lt: log.revision }),
    erased: trusted({ $ne: true }),
    expired: trusted({ $ne: true }),
  };
  const options = { upsert: true, updatePipeline: true, returnDocument: 'after' } as const;
  const fitting = fitCallLog(log);
  const { revision, stages } = fitting;
  const update = nextRevision({ ...toContent(fitting), revision, stages });
  const written = await model
    .findOneAndUpdate({ _id: log.callSid, ...fence }, update, options)
    .lean()
    .exec();
  return written === null ? null : toCallLog({ ...written });
}

async function bury(
  model: Model<StoredDocument>,
  callSid: string,
  businessId: string,
  revision: number,
): Promise<true> {
  const fence = { _id: callSid, businessId, erased: trusted({ $ne: true }) };
  await model.updateOne(fence, tombstone(businessId, revision), { upsert: true, updatePipeline: true }).exec();
  return true;
}

async function look(model: Model<StoredDocument>, callSid: string, signal: AbortSignal): Promise<StoredCall> {
  return fromDocument(await inTime('read a CallLog', signal, () => model.findById(callSid).lean().exec()));
}

function businessOf(found: Found): string {
  return found.kind === 'call' ? found.callLog.businessId : found.businessId;
}
