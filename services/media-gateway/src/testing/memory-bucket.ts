import { BrokerError, type Entry, type KeyValue } from '@pipeline/messaging';
import type { SharedBuckets } from '../sharing.ts';

type Entries = Map<string, { readonly json: string; readonly revision: number }>;

/** A bucket as the broker's: one revision counter, compare-and-set, and no answer while it is away. */
export type MemoryBucket = {
  isAway: boolean;
  /** How much of its room is taken, 0 to 1. */
  filled: number;
  readonly entries: Entries;
  readonly shared: SharedBuckets;
};

/**
 * `turn` is awaited before and after each operation, which itself is atomic: a test decides there what happens in between, as
 * the network does. Buckets over the same `entries` are one, as several processes see it.
 */
export function createMemoryBucket(
  options: { readonly turn?: () => Promise<void>; readonly entries?: Entries } = {},
): MemoryBucket {
  const { turn = async () => undefined, entries = new Map() } = options;

  const open = <T>(): KeyValue<T> => {
    const atomic = async <R>(work: () => R): Promise<R> => {
      await turn();
      if (bucket.isAway) throw new BrokerError('the bucket is away');
      const result = work();
      await turn();
      if (bucket.isAway) throw new BrokerError('the bucket is away');
      return result;
    };
    const read = (key: string): Entry<T> | null => {
      const entry = entries.get(key);
      // What was written under this key has this type.
      return entry === undefined ? null : { value: JSON.parse(entry.json) as T, revision: entry.revision, storedAt: 0 };
    };
    const write = (key: string, value: T): number => {
      const revision = 1 + Math.max(0, ...[...entries.values()].map((entry) => entry.revision));
      entries.set(key, { json: JSON.stringify(value), revision });
      return revision;
    };
    return {
      get: (key) => atomic(() => read(key)),
      create: (key, value) => atomic(() => (entries.has(key) ? null : write(key, value))),
      update: (key, value, at) => atomic(() => (entries.get(key)?.revision === at ? write(key, value) : null)),
      put: (key, value) => atomic(() => write(key, value)),
      delete: (key) => atomic(() => entries.delete(key)),
      filled: () => atomic(() => bucket.filled),
      watch: () => {
        throw new Error('nothing here watches');
      },
    };
  };
  const bucket: MemoryBucket = {
    isAway: false,
    filled: 0,
    entries,
    shared: { records: open(), processes: open(), businesses: open() },
  };
  return bucket;
}
