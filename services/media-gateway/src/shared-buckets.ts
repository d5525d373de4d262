import { GATEWAY_BUCKET } from '@pipeline/contracts';
import type { Broker } from '@pipeline/messaging';
import { businessRecordSchema } from './business-room.ts';
import { callRecordSchema } from './call-record.ts';
import type { SharedBuckets } from './sharing.ts';
import { processRecordSchema } from './presence.ts';

/** One question of the bucket: a caller hears nothing while it lasts. */
const DEADLINE_MS = 1_500;

/** The bucket of the gateways, once for each kind of its entries. */
export function openSharedBuckets(broker: Pick<Broker, 'openBucket'>): SharedBuckets {
  const bucket = { bucket: GATEWAY_BUCKET, deadlineMs: DEADLINE_MS };
  return {
    records: broker.openBucket({ ...bucket, schema: callRecordSchema }),
    processes: broker.openBucket({ ...bucket, schema: processRecordSchema }),
    businesses: broker.openBucket({ ...bucket, schema: businessRecordSchema }),
  };
}
