import type { Model } from 'mongoose';
import { inTime } from '../connection/in-time.ts';
import { checked } from '../connection/scalars.ts';
import type { StoreLog } from '../connection/store.ts';
import type { AttemptOutcome } from './attempt.ts';
import { fromNow } from './freeze.ts';
import { toRow } from './mapping.ts';
import type { DeliveryDocument, DeliveryModels } from './model.ts';
import { millisecondsSchema, ownerSchema, rowIdSchema, type DeliveryRow } from './row.ts';

/** How settling ended. */
export type Settled =
  | { readonly kind: 'settled'; readonly row: DeliveryRow }
  /** The lease was over and somebody else has the row, or nobody any more. Nothing was written. */
  | { readonly kind: 'lost' };

type Settling = { readonly rowId: string; readonly owner: string; readonly outcome: AttemptOutcome };

/** See `DeliveryStore.settle`. An attempt log that cannot be written is a warning: the row is the truth. */
export async function settle(
  models: DeliveryModels,
  logger: StoreLog,
  { rowId, owner, outcome }: Settling,
  signal: AbortSignal,
): Promise<Settled> {
  const update = [
    { $set: nextFields(outcome) },
    ...(outcome.next.state === 'pending' ? [] : [{ $unset: 'nextAttemptAt' }]),
  ];
  const row = await updateOwned(models.deliveries, rowId, owner, update, signal);
  if (row === null) return { kind: 'lost' };
  if (outcome.attempt === null) return { kind: 'settled', row };
  try {
    const { id: deliveryId, state, nextAttemptAt, attempts: number, updatedAt: at } = row;
    const record = { ...outcome.attempt, deliveryId, number, at, state, nextAttemptAt };
    await inTime('write an attempt', signal, () => models.attempts.collection.insertOne(record));
  } catch (error) {
    logger.warn({ err: error }, 'an attempt is missing in the attempt log');
  }
  return { kind: 'settled', row };
}

/** See `DeliveryStore.release`. */
export async function release(
  deliveries: Model<DeliveryDocument>,
  rowId: string,
  owner: string,
  signal: AbortSignal,
): Promise<boolean> {
  const update = [{ $set: nextFields({ next: { state: 'pending', retryInMs: 0 }, charged: false, attempt: null }) }];
  return (await updateOwned(deliveries, rowId, owner, update, signal)) !== null;
}

function nextFields({ next, charged = true }: AttemptOutcome): Readonly<Record<string, unknown>> {
  const again = next.state === 'pending' && {
    nextAttemptAt: fromNow(checked(millisecondsSchema, next.retryInMs, 'retryInMs')),
  };
  return {
    state: { $literal: next.state },
    lease: { $literal: null },
    attempts: { $add: ['$attempts', charged ? 1 : 0] },
    updatedAt: '$$NOW',
    ...again,
  };
}

/** One atomic update of a row that is in work at this owner; null when it is not. */
async function updateOwned(
  deliveries: Model<DeliveryDocument>,
  rowId: string,
  owner: string,
  update: Readonly<Record<string, unknown>>[],
  signal: AbortSignal,
): Promise<DeliveryRow | null> {
  const filter = {
    _id: checked(rowIdSchema, rowId, 'rowId'),
    state: 'delivering' as const,
    'lease.owner': checked(ownerSchema, owner, 'owner'),
  };
  const options = { updatePipeline: true, returnDocument: 'after' } as const;
  const query = () => deliveries.findOneAndUpdate(filter, update, options).lean().exec();
  const row = await inTime('settle a delivery', signal, query);
  return row === null ? null : toRow(row);
}
