import type { KeyValue } from '@pipeline/messaging';
import { keyOfCall, type CallRecord } from './call-record.ts';

/** Records that could not be written when they should have been. They are tried again until they are, or are overtaken. */
export type LateRecords = {
  add(callSid: string, record: CallRecord): void;
  find(callSid: string): CallRecord | undefined;
  forget(callSid: string): void;
  /** Tries them, until one fails. Rejected when one does. */
  write(): Promise<void>;
};

/** Calls whose record may wait: above the calls and unpublished events of a process. The oldest is given up first. */
const MAX_LATE = 10_000;
/** Records written after one beat, so that a long outage does not delay the next beat. */
const MAX_AT_ONCE = 500;

const RANK = { answered: 0, live: 1, ending: 1, published: 2 } as const;

export function createLateRecords(records: KeyValue<CallRecord>): LateRecords {
  const late = new Map<string, CallRecord>();

  /** Forward only: what others have written meanwhile stands. */
  const advance = async (callSid: string, wanted: CallRecord): Promise<void> => {
    const key = keyOfCall(callSid);
    const entry = await records.get(key);
    if (entry === null || RANK[entry.value.state] < RANK[wanted.state]) {
      const written = entry === null ? records.create(key, wanted) : records.update(key, wanted, entry.revision);
      if ((await written) === null) return; // somebody else wrote: looked at again after the next beat
    }
    if (late.get(callSid) === wanted) late.delete(callSid);
  };

  return {
    add: (callSid, record) => {
      late.delete(callSid);
      late.set(callSid, record);
      for (const oldest of late.keys()) {
        if (late.size <= MAX_LATE) return;
        late.delete(oldest);
      }
    },
    find: (callSid) => late.get(callSid),
    forget: (callSid) => void late.delete(callSid),
    write: async () => {
      for (const [callSid, record] of [...late].slice(0, MAX_AT_ONCE)) await advance(callSid, record);
    },
  };
}
