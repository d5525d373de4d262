import type { Model } from 'mongoose';
import { inTime } from '../connection/in-time.ts';
import { checked } from '../connection/scalars.ts';
import type { AttemptLog } from './attempt-log.ts';
import type { AttemptOutcome } from './attempt.ts';
import type { EndpointBook } from './endpoint/book.ts';
import { noteAttempt } from './endpoint/outcome.ts';
import { noteWaiting, returnSlots } from './endpoint/slots.ts';
import { fromNow } from './freeze.ts';
import { toRow } from './mapping.ts';
import type { DeliveryDocument } from './model.ts';
import { millisecondsSchema, ownerSchema, rowIdSchema, type DeliveryRow, type Hold } from './row.ts';

/** How settling ended. */
export type Settled =
  | { readonly kind: 'settled'; readonly row: DeliveryRow }
  /** The lease was over and somebody else has the row, or nobody any more. Nothing was written. */
  | { readonly kind: 'lost' };

export type SettleDeps = {
  readonly deliveries: Model<DeliveryDocument>;
  readonly book: EndpointBook;
  readonly log: AttemptLog;
};

/** See `DeliveryStore.settle`. The row first: what it says is what counts. The endpoint and the attempt log follow together. */
export async function settle(
  deps: SettleDeps,
  hold: Hold,
  outcome: AttemptOutcome,
  signal: AbortSignal,
): Promise<Settled> {
  const update = [
    { $set: nextFields(outcome) },
    ...(outcome.next.state === 'pending' ? [] : [{ $unset: 'nextAttemptAt' }]),
  ];
  const row = await updateHeld(deps.deliveries, hold, update, signal);
  const { endpointId, slot, lane } = hold;
  if (row === null) {
    await deps.book.change(endpointId, returnSlots([slot]), signal);
    return { kind: 'lost' };
  }
  const { limits, verdict = { kind: 'none' } } = outcome;
  const note = { slot, lane, verdict, nextAttemptAt: row.nextAttemptAt, ...(limits && { limits }) };
  await Promise.all([deps.book.change(endpointId, noteAttempt(note), signal), remember(deps.log, row, outcome)]);
  return { kind: 'settled', row };
}

/** See `DeliveryStore.release`. */
export async function release(deps: SettleDeps, hold: Hold, signal: AbortSignal): Promise<boolean> {
  const update = [{ $set: { ...backToPending(0), lease: { $literal: null }, updatedAt: '$$NOW' } }];
  const row = await updateHeld(deps.deliveries, hold, update, signal);
  await deps.book.change(hold.endpointId, returnSlots([hold.slot]), signal);
  if (row !== null) await deps.book.change(hold.endpointId, noteWaiting(hold.lane, 'now'), signal);
  return row !== null;
}

async function remember(log: AttemptLog, row: DeliveryRow, outcome: AttemptOutcome): Promise<void> {
  if (outcome.attempt === null) return;
  const { id: deliveryId, state, nextAttemptAt, attempts, updatedAt: at } = row;
  const charged = outcome.charged ?? true;
  // One that was not charged stands between the charged ones, with the number that the next of these will have.
  const number = charged ? attempts : attempts + 1;
  await log.write({ ...outcome.attempt, deliveryId, number, charged, at, state, nextAttemptAt });
}

/** What was tried waits among the later ones from now on; a test keeps its own lane. */
function nextFields({ next, charged = true }: AttemptOutcome): Readonly<Record<string, unknown>> {
  const again = next.state === 'pending' ? backToPending(next.retryInMs) : { state: { $literal: next.state } };
  const isTest = { $eq: ['$lane', 'test'] };
  return {
    ...again,
    lease: { $literal: null },
    attempts: { $add: ['$attempts', charged ? 1 : 0] },
    ...(charged ? { lane: { $cond: [isTest, 'test', 'later'] } } : {}),
    ...(charged ? { trigger: { $cond: [isTest, '$trigger', 'schedule'] } } : {}),
    updatedAt: '$$NOW',
  };
}

function backToPending(retryInMs: number): Readonly<Record<string, unknown>> {
  const nextAttemptAt = fromNow(checked(millisecondsSchema, retryInMs, 'retryInMs'));
  return { state: { $literal: 'pending' }, nextAttemptAt };
}

/** One atomic update of a row that is in work under this very lease; null when it is not. */
async function updateHeld(
  deliveries: Model<DeliveryDocument>,
  hold: Hold,
  update: Readonly<Record<string, unknown>>[],
  signal: AbortSignal,
): Promise<DeliveryRow | null> {
  const filter = {
    _id: checked(rowIdSchema, hold.rowId, 'rowId'),
    state: 'delivering' as const,
    'lease.owner': checked(ownerSchema, hold.owner, 'owner'),
  };
  const options = { updatePipeline: true, returnDocument: 'after', projection: { body: 0 } } as const;
  const query = () => deliveries.findOneAndUpdate(filter, update, options).lean().exec();
  const row = await inTime('settle a delivery', signal, query);
  return row === null ? null : toRow(row);
}
