import mongoose from 'mongoose';
import { expect, test } from 'vitest';
import { RetryLaterError } from '@pipeline/contracts';
import type { StoredCall } from '../call-log/mapping.ts';
import { writeFenced } from './fence.ts';

const expired = (revision: number): StoredCall => ({ kind: 'expired', businessId: 'biz_1', revision });
const stands = (found: { readonly kind: string; readonly revision?: number }): boolean => found.revision === 2;

test('a lower revision that came in between is replaced after all', async () => {
  const write = answers([duplicateKey(), 'written']);
  const outcome = await writeFenced({ write, look: answers([expired(1)]), stands });
  expect(outcome).toEqual({ kind: 'written', value: 'written' });
});

test('what stands is the answer, also when it vanished for a moment or the server shows nothing', async () => {
  const write = answers([duplicateKey(), null]);
  const outcome = await writeFenced({ write, look: answers([{ kind: 'none' } as const, expired(2)]), stands });
  expect(outcome).toEqual({ kind: 'stands', found: expired(2) });
});

test('a race without an end is "again", and another error passes through', async () => {
  const lost = () => Promise.reject<string>(duplicateKey());
  const endless = writeFenced({ write: lost, look: async () => expired(1), stands });
  await expect(endless).rejects.toThrow(RetryLaterError);
  const broken = writeFenced({ write: answers<string>([new Error('broken')]), look: async () => expired(1), stands });
  await expect(broken).rejects.toThrow('broken');
});

/** A function that gives one answer after another; errors are thrown. */
function answers<T>(list: readonly (T | Error)[]): () => Promise<T> {
  const left = [...list];
  return async () => {
    const next = left.shift();
    if (next instanceof Error) throw next;
    if (next === undefined) throw new Error('no answer left');
    return next;
  };
}

function duplicateKey(): Error {
  return new mongoose.mongo.MongoServerError({ message: 'E11000', code: 11_000 });
}
