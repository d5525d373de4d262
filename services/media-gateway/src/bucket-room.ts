import type { KeyValue } from '@pipeline/messaging';
import type { Logger } from '@pipeline/runtime';
import type { CallRecord } from './call-record.ts';
import type { Presence } from './presence.ts';

/** Whether the bucket in which all processes write down their calls takes new ones. */
export type BucketRoom = {
  hasRoom(): boolean;
  /** How much of it is taken, 0 to 1, as of the last beat. */
  filled(): number;
};

type RoomDeps = {
  readonly records: Pick<KeyValue<CallRecord>, 'filled'>;
  readonly presence: Pick<Presence, 'onBeat'>;
  readonly logger: Logger;
};

/**
 * What is left above it is for the calls that are up. A full bucket refuses their steps as well, down to their ends, and a new call
 * that is not written down is known to one process alone: its media stream is refused everywhere else.
 */
const FULL = 0.9;

/** Looks after each beat. What cannot be known changes nothing: a bucket that is away keeps no caller out. */
export function createBucketRoom({ records, presence, logger }: RoomDeps): BucketRoom {
  let filled = 0;
  let isKnown = true;
  presence.onBeat(async () => {
    const before = filled;
    try {
      filled = await records.filled();
      isKnown = true;
    } catch (error) {
      if (isKnown) logger.warn({ err: error }, 'how full the bucket of the calls is cannot be known');
      isKnown = false;
    }
    if (before < FULL && filled >= FULL)
      logger.error({}, 'the bucket of the calls is nearly full: new calls are refused');
    if (before >= FULL && filled < FULL) logger.info({}, 'the bucket of the calls has room again');
  });
  return { hasRoom: () => filled < FULL, filled: () => filled };
}
