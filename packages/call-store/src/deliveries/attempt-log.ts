import type { Model } from 'mongoose';
import { inTime } from '../connection/in-time.ts';
import type { StoreLog } from '../connection/store.ts';
import type { StoredAttempt } from './attempt.ts';
import type { AttemptDocument } from './model.ts';

/** Writes what attempts were like; those that end while a write is under way go together in the next one. */
export type AttemptLog = { write(attempt: StoredAttempt): Promise<void> };

const MAX_TOGETHER = 200;

/** An attempt that cannot be written is a warning: the row is the truth. */
export function createAttemptLog(model: Model<AttemptDocument>, logger: StoreLog): AttemptLog {
  const waiting: { readonly attempt: StoredAttempt; resolve(): void }[] = [];
  let isWriting = false;

  const writeAll = async (): Promise<void> => {
    isWriting = true;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, MAX_TOGETHER);
      try {
        const never = new AbortController().signal;
        const documents = batch.map(({ attempt }) => ({ ...attempt }));
        await inTime('write attempts', never, () => model.collection.insertMany(documents, { ordered: false }));
      } catch (error) {
        logger.warn({ err: error }, `${batch.length} attempts are missing in the attempt log`);
      }
      for (const one of batch) one.resolve();
    }
    isWriting = false;
  };
  return {
    write: (attempt) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ attempt, resolve });
      if (!isWriting) void writeAll();
      return promise;
    },
  };
}
