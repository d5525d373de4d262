import { SharedDirectory } from '../call-directory-shared.ts';
import { createPresence, type Presence } from '../presence.ts';
import { silentLogger } from './examples.ts';
import { createMemoryBucket, type MemoryBucket } from './memory-bucket.ts';

/** The directory of one process over a bucket in memory, which other processes may share. */
export function createTestDirectory(
  options: { readonly bucket?: MemoryBucket; readonly now?: () => number; readonly beatMs?: number } = {},
): { readonly directory: SharedDirectory; readonly presence: Presence; readonly bucket: MemoryBucket } {
  const bucket = options.bucket ?? createMemoryBucket();
  const { records, processes } = bucket.shared;
  const presence = createPresence({
    processes,
    describe: () => ({ instance: 'media-gateway/test', calls: 0 }),
    logger: silentLogger,
    beatMs: options.beatMs ?? 20,
  });
  const directory = new SharedDirectory({
    records,
    presence,
    tokenTtlMs: 60_000,
    logger: silentLogger,
    ...(options.now === undefined ? {} : { now: options.now }),
  });
  presence.start();
  return { directory, presence, bucket };
}
