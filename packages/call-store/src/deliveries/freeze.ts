import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import mongoose, { type Model } from 'mongoose';
import { inTime } from '../connection/in-time.ts';
import { checked } from '../connection/scalars.ts';
import type { DeliveryDocument } from './model.ts';
import { millisecondsSchema, newDeliverySchema, ownerSchema, type Lease, type NewDelivery } from './row.ts';

/** See `DeliveryStore.freeze`. The update of a row that exists puts the row in place of itself, so nothing changes. */
export async function freeze(
  deliveries: Model<DeliveryDocument>,
  row: NewDelivery,
  lease: Lease | null,
  signal: AbortSignal,
): Promise<'inserted' | 'exists'> {
  const { body, ...keys } = newDeliverySchema.parse(row);
  const bytes = Buffer.from(body);
  const content = {
    ...keys,
    body: new mongoose.mongo.Binary(bytes),
    bodySha256: createHash('sha256').update(bytes).digest('hex'),
    attempts: 0,
  };
  const frozen = { $mergeObjects: [{ $literal: content }, leaseFields(lease), { _id: '$_id', ...timesOfNew }] };
  const isNew = { $eq: [{ $type: '$state' }, 'missing'] };
  const update = [{ $replaceWith: { $cond: [isNew, frozen, '$$ROOT'] } }];
  const filter = { _id: `${keys.webhookId}@${keys.endpointId}` };
  const options = { upsert: true, updatePipeline: true } as const;
  const result = await inTime('freeze a delivery', signal, () => deliveries.updateOne(filter, update, options).exec());
  return result.upsertedCount === 1 ? 'inserted' : 'exists';
}

/** The parts of a row that say who works on it until when, for an update pipeline. */
export function leaseFields(lease: Lease | null): Readonly<Record<string, unknown>> {
  if (lease === null) return { state: { $literal: 'no_endpoint' }, lease: { $literal: null } };
  const until = fromNow(checked(millisecondsSchema, lease.leaseMs, 'leaseMs'));
  return {
    state: { $literal: 'delivering' },
    lease: { owner: { $literal: checked(ownerSchema, lease.owner, 'owner') }, until },
    nextAttemptAt: until,
  };
}

/** A time of the database, for an update pipeline. */
export function fromNow(ms: number): Readonly<Record<string, unknown>> {
  return { $dateAdd: { startDate: '$$NOW', unit: 'millisecond', amount: ms } };
}

const timesOfNew = { createdAt: '$$NOW', updatedAt: '$$NOW' };
