import { GATEWAY_BEAT_BUCKET, GATEWAY_BUCKET } from '@pipeline/contracts';
import type { Broker } from '@pipeline/messaging';
import { businessRecordSchema } from './business-room.ts';
import { callRecordSchema } from './call-record.ts';
import type { SharedBuckets } from './sharing.ts';
import { processRecordSchema } from './presence.ts';

/** One question of the bucket: a caller hears nothing while it lasts. */
const DEADLINE_MS = 1_500;

/** The buckets of the gateways, once for each kind of their entries. Beats have one of their own: a full one refuses every write. */
export function openSharedBuckets(broker: Pick<Broker, 'openBucket'>): SharedBuckets {
  const calls = { bucket: GATEWAY_BUCKET, deadlineMs: DEADLINE_MS };
  return {
    records: broker.openBucket({ ...calls, schema: callRecordSchema }),
    businesses: broker.openBucket({ ...calls, schema: businessRecordSchema }),
    processes: broker.openBucket({ ...calls, bucket: GATEWAY_BEAT_BUCKET, schema: processRecordSchema }),
  };
}
