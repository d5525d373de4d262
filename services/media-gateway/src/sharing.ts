import type { KeyValue } from '@pipeline/messaging';
import type { Logger } from '@pipeline/runtime';
import { createBucketRoom, type BucketRoom } from './bucket-room.ts';
import { BusinessRoom, type BusinessRecord } from './business-room.ts';
import { SharedDirectory } from './call-directory-shared.ts';
import type { CallDirectory } from './call-directory.ts';
import type { CallRecord } from './call-record.ts';
import { createPresence, type Presence, type ProcessRecord } from './presence.ts';

/** What the gateways of one public address share, by the kind of its entries. */
export type SharedBuckets = {
  readonly records: KeyValue<CallRecord>;
  readonly processes: KeyValue<ProcessRecord>;
  readonly businesses: KeyValue<BusinessRecord>;
};

export type Sharing = {
  readonly presence: Presence;
  readonly directory: CallDirectory;
  readonly room: BusinessRoom;
  readonly bucketRoom: BucketRoom;
};

type SharingDeps = SharedBuckets & {
  /** `<service>/<pod>`, for people who look at what is shared. */
  readonly instance: string;
  /** Calls of this process that are not over. */
  readonly activeCount: () => number;
  /** Of these and of those that are being answered, the ones of a business that came before a call. */
  readonly countBefore: (callSid: string, businessId: string) => number;
  readonly tokenTtlMs: number;
  readonly longestCallMs: number;
  readonly logger: Logger;
};

/** How long after its longest duration a call may still be on its way to its end. */
const ENDING_MS = 600_000;

/** This process among all gateways of one public address. It is silent until `presence.start`. */
export function createSharing(deps: SharingDeps): Sharing {
  const { records, processes, businesses, instance, activeCount, countBefore, tokenTtlMs, logger } = deps;
  const presence = createPresence({ processes, describe: () => ({ instance, calls: activeCount() }), logger });
  const bucketRoom = createBucketRoom({ records, presence, logger });
  const directory = new SharedDirectory({ records, presence, tokenTtlMs, logger });
  const longestCallMs = deps.longestCallMs + ENDING_MS;
  const room = new BusinessRoom({ businesses, directory, presence, countBefore, longestCallMs, logger });
  return { presence, directory, room, bucketRoom };
}
