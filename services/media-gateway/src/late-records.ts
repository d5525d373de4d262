import type { KeyValue } from '@pipeline/messaging';
import type { Logger } from '@pipeline/runtime';
import { createBacklog } from './backlog.ts';
import { keyOfCall, type CallRecord } from './call-record.ts';

/** Records that could not be written when they should have been. They are tried again until they are, or are overtaken. */
export type LateRecords = {
  add(callSid: string, record: CallRecord): void;
  find(callSid: string): CallRecord | undefined;
  forget(callSid: string): void;
  /** Tries some of them; one that cannot be written keeps no other back. Never rejected. */
  write(signal: AbortSignal): Promise<void>;
};

const RANK = { answered: 0, refused: 0, live: 1, ending: 1, published: 2 } as const;

export function createLateRecords(records: KeyValue<CallRecord>, logger: Logger): LateRecords {
  const late = createBacklog<CallRecord>({
    onFailure: (callSid, error) =>
      logger.warn({ callSid, err: error }, 'the record of a call cannot be written yet, other gateways do not know it'),
  });

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
    add: late.set,
    find: late.get,
    forget: late.delete,
    write: (signal) => late.work(advance, signal),
  };
}
