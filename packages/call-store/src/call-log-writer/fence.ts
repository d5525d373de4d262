import { RetryLaterError } from '@pipeline/contracts';
import type { StoredCall } from '../call-log/mapping.ts';
import { isDuplicateKey } from '../connection/in-time.ts';

/** What stands in the way of a write. */
export type Found = Exclude<StoredCall, { kind: 'none' }>;

/** Each lost try means that another writer of the same call got through; more of them at once than this are no accident. */
const MAX_TRIES = 30;

/**
 * A write behind a fence: an upsert whose filter does not match what is there ends in a duplicate key. Then what is there is
 * looked at: either it `stands`, or it came in between and is to be replaced after all, so the write is repeated. Null from
 * `write` means that it was done and only a look can show it.
 */
export async function writeFenced<T>(step: {
  readonly write: () => Promise<T | null>;
  readonly look: () => Promise<StoredCall>;
  readonly stands: (found: Found) => boolean;
}): Promise<{ readonly kind: 'written'; readonly value: T } | { readonly kind: 'stands'; readonly found: Found }> {
  for (let attempt = 1; attempt <= MAX_TRIES; attempt += 1) {
    try {
      const value = await step.write();
      if (value !== null) return { kind: 'written', value };
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    const found = await step.look();
    if (found.kind !== 'none' && step.stands(found)) return { kind: 'stands', found };
  }
  throw new RetryLaterError('MongoDB did not do: too many writers of one call', { deadline: 'none' });
}
