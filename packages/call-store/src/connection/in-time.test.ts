import mongoose from 'mongoose';
import { expect, test } from 'vitest';
import { PermanentError } from '@pipeline/contracts';
import { inTime, isDuplicateKey } from './in-time.ts';

const never = new AbortController().signal;
const AGAIN = { name: 'RetryLaterError', deadline: 'none' };

test('an operation that does not end is given up at its deadline, to be repeated', async () => {
  const endless = inTime('wait', never, () => new Promise<never>(() => {}), 5);
  await expect(endless).rejects.toMatchObject({ ...AGAIN, message: 'MongoDB did not do: wait' });
});

test('an abort ends the wait with its own reason, and nothing begins after it', async () => {
  const stop = new AbortController();
  const waiting = inTime('wait', stop.signal, () => new Promise<never>(() => {}));
  stop.abort(new Error('shutting down'));
  await expect(waiting).rejects.toThrow('shutting down');
  let begun = false;
  const late = inTime('wait', stop.signal, async () => void (begun = true));
  await expect(late).rejects.toThrow('shutting down');
  expect(begun).toBe(false);
});

test.each([
  ['the driver', new mongoose.mongo.MongoNetworkError('canary')],
  ['the server', serverError(13)],
  ['mongoose', new mongoose.MongooseError('canary')],
])('a failure of %s is "again" without a deadline, and its words stay out of the message', async (_who, cause) => {
  const failing = inTime('read', never, () => Promise.reject(cause));
  await expect(failing).rejects.toMatchObject({ ...AGAIN, message: 'MongoDB did not do: read', cause });
});

test('a duplicate key passes through, a document that never fits is for good, a bug stays a bug', async () => {
  const lost = await inTime('write', never, () => Promise.reject(serverError(11_000))).catch((error: unknown) => error);
  expect(isDuplicateKey(lost)).toBe(true);
  await expect(inTime('write', never, () => Promise.reject(serverError(10_334)))).rejects.toThrow(PermanentError);
  await expect(inTime('write', never, () => Promise.reject(new RangeError('bug')))).rejects.toThrow(RangeError);
});

function serverError(code: number): Error {
  return new mongoose.mongo.MongoServerError({ message: 'canary', code });
}
