import mongoose from 'mongoose';
import { PermanentError, RetryLaterError } from '@pipeline/contracts';

/** The longest that one operation may take with everything: waiting for a server, for a socket, for the answer, one retry. */
export const OPERATION_DEADLINE_MS = 15_000;

/** The server's and the driver's codes for a document above 16 MiB. */
const TOO_LARGE = new Set<unknown>([10334, 17419, 17420]);
/** "Bad value", which a hint is that names an index that is not there. */
const BAD_VALUE = 2;
/** A key of a unique index is taken: the answer of a fence, not a failure. */
const DUPLICATE_KEY = 11_000;

/**
 * Runs one operation of the database within a deadline. `what` names it in messages, for people, without any value.
 * Throws what `signal` was aborted with; RetryLaterError without a deadline for every failure of the database, which heals;
 * PermanentError `EVENT_TOO_LARGE` for a document that never fits. Duplicate keys pass through.
 * A deadline leaves the outcome open: the write may be done. So every write here may be repeated.
 */
export async function inTime<T>(
  what: string,
  signal: AbortSignal,
  operation: () => Promise<T>,
  deadlineMs: number = OPERATION_DEADLINE_MS,
): Promise<T> {
  signal.throwIfAborted();
  const ended = Promise.withResolvers<never>();
  const timer = setTimeout(() => ended.reject(failed(what, new Error('deadline passed'))), deadlineMs);
  const onAbort = (): void => ended.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([operation(), ended.promise]);
  } catch (error) {
    throw translate(what, error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/** True for the answer of a unique index or a fenced upsert that lost. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof mongoose.mongo.MongoServerError && error.code === DUPLICATE_KEY;
}

function translate(what: string, error: unknown): unknown {
  if (isDuplicateKey(error)) return error;
  if (error instanceof mongoose.mongo.MongoError) {
    if (TOO_LARGE.has(error.code)) return new PermanentError('EVENT_TOO_LARGE', { cause: error });
    const isIndexMissing = error.code === BAD_VALUE && error.message.includes('hint');
    return failed(isIndexMissing ? `${what}, an index is missing: run provision` : what, error);
  }
  return error instanceof mongoose.MongooseError ? failed(what, error) : error;
}

function failed(what: string, cause: unknown): RetryLaterError {
  return new RetryLaterError(`MongoDB did not do: ${what}`, { deadline: 'none', cause });
}
