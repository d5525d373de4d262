import type { CallLogReader, StoredCursor } from '@pipeline/call-store/call-log';
import type { AnnounceDeps } from '../announce.ts';

const PAGE = 500;

/** The CallLogs that were stored in a stretch of time, by pages of 500: as many as a look at deliveries takes. */
export function createStoredList(storedIn: CallLogReader['storedIn']): AnnounceDeps['listStored'] {
  return async function* (fromMs, toMs, signal) {
    const range = { from: new Date(fromMs), to: new Date(toMs), limit: PAGE };
    let after: StoredCursor | undefined;
    for (;;) {
      const { marks, next } = await storedIn(after === undefined ? range : { ...range, after }, signal);
      yield marks;
      if (next === null) return;
      after = next;
    }
  };
}
