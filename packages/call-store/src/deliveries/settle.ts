import type { Model } from 'mongoose';
import { inTime } from '../connection/in-time.ts';
import { checked } from '../connection/scalars.ts';
import type { AttemptLog } from './attempt-log.ts';
import type { AttemptOutcome } from './attempt.ts';
import type { EndpointBook } from './endpoint/book.ts';
import { noteAttempt } from './endpoint/outcome.ts';
import { noteWaiting, returnSlots } from './endpoint/slots.ts';
import type { Held, LeasedRows } from './leased-rows.ts';
import { toRow } from './mapping.ts';
import type { DeliveryDocument } from './model.ts';
import { millisecondsSchema, ownerSchema, rowIdSchema, type DeliveryRow, type Hold } from './row.ts';

/** What of a row a try changes, as it is after it. */
export type SettledRow = Pick<
  DeliveryRow,
  'id' | 'state' | 'lane' | 'trigger' | 'attempts' | 'ownFailures' | 'nextAttemptAt' | 'updatedAt'
>;

/** How settling ended. */
export type Settled =
  | { readonly kind: 'settled'; readonly row: SettledRow }
  /** The lease was over and somebody else has the row, or nobody any more. Only the endpoint heard what the attempt says about it. */
  | { readonly kind: 'lost' };

export type SettleDeps = {
  readonly deliveries: Model<DeliveryDocument>;
  readonly book: EndpointBook;
  readonly log: AttemptLog;
  /** Of holds whose settling broke off, how far it came. */
  readonly unfinished: WeakMap<Hold, Progress>;
  readonly leased: LeasedRows;
};

/** What is written of an outcome is not written again, and what is not is carried on. */
export type Progress = {
  /** What the row was to become by a write that may have reached the database. */
  intended: SettledRow | null;
  settled: Settled | null;
  /** The endpoint may have heard of it already. */
  isNoted: boolean;
};

/**
 * See `DeliveryStore.settle`. The row first: what it says is what counts, and a process that dies behind it has delivered. The endpoint
 * hears what the attempt says about it whatever became of the row: the answer was given, and a store that fails between the writes is
 * asked again. Nobody but the holder changes a row in work, so what was known when it was leased, or is read, holds until the write, which
 * the lease fences.
 */
export async function settle(
  deps: SettleDeps,
  hold: Hold,
  outcome: AttemptOutcome,
  signal: AbortSignal,
): Promise<Settled> {
  const progress = deps.unfinished.get(hold) ?? { intended: null, settled: null, isNoted: false };
  deps.unfinished.set(hold, progress);
  const isFirst = progress.settled === null;
  const settled = (progress.settled ??= await settleRow(deps, hold, outcome, progress, signal));
  const { slot, lane } = hold;
  const { limits, verdict = { kind: 'none' } } = outcome;
  const next = settled.kind === 'settled' ? nextOf(settled.row) : null;
  const isRepeated = progress.isNoted;
  progress.isNoted = true;
  const note = noteAttempt({ slot, lane, verdict, next, isRepeated, ...(limits && { limits }) });
  const logged = isFirst && settled.kind === 'settled' ? remember(deps.log, settled.row, outcome) : null;
  await Promise.all([deps.book.change(hold.endpointId, note, signal), logged]);
  deps.unfinished.delete(hold);
  return settled;
}

async function settleRow(
  { deliveries, leased }: SettleDeps,
  hold: Hold,
  outcome: AttemptOutcome,
  progress: Progress,
  signal: AbortSignal,
): Promise<Settled> {
  const held = leased.recall(hold) ?? (await readHeld(deliveries, hold, signal));
  if (held === null) {
    // The write of before may have been done although its answer was lost.
    const { intended } = progress;
    const isDone = intended !== null && (await isWritten(deliveries, intended, signal));
    return isDone ? { kind: 'settled', row: intended } : { kind: 'lost' };
  }
  const row = afterAttempt(held, outcome);
  progress.intended = row;
  leased.forget(hold);
  return (await writeHeld(deliveries, hold, row, signal)) ? { kind: 'settled', row } : { kind: 'lost' };
}

function nextOf({ lane, nextAttemptAt: at }: SettledRow) {
  return at === null ? null : { lane, at };
}

/** See `DeliveryStore.release`. */
export async function release(deps: SettleDeps, hold: Hold, signal: AbortSignal): Promise<boolean> {
  const held = await readHeld(deps.deliveries, hold, signal);
  const isReturned = held !== null && (await writeHeld(deps.deliveries, hold, unsent(held), signal));
  await deps.book.change(hold.endpointId, returnSlots([hold.slot]), signal);
  if (isReturned) await deps.book.change(hold.endpointId, noteWaiting(hold.lane, 'now'), signal);
  return isReturned;
}

async function remember(log: AttemptLog, row: SettledRow, outcome: AttemptOutcome): Promise<void> {
  if (outcome.attempt === null) return;
  const { id: deliveryId, state, nextAttemptAt, attempts, updatedAt: at } = row;
  const charged = outcome.charged ?? true;
  // One that was not charged stands between the charged ones, with the number that the next of these will have.
  const number = charged ? attempts : attempts + 1;
  await log.write({ ...outcome.attempt, deliveryId, number, charged, at, state, nextAttemptAt });
}

/** What was tried waits among the later ones from now on; a test keeps its own lane. */
function afterAttempt({ row, now }: Held, { next, charged = true, isOurs = false }: AttemptOutcome): SettledRow {
  const isOfSchedule = charged && row.lane !== 'test';
  return {
    id: row.id,
    state: next.state,
    nextAttemptAt: next.state === 'pending' ? later(now, next.retryInMs) : null,
    attempts: row.attempts + (charged ? 1 : 0),
    lane: isOfSchedule ? 'later' : row.lane,
    trigger: isOfSchedule ? 'schedule' : row.trigger,
    ownFailures: isOurs ? { since: row.ownFailures?.since ?? now, count: (row.ownFailures?.count ?? 0) + 1 } : null,
    updatedAt: now,
  };
}

/** As it was before it was leased, and due. */
function unsent({ row, now }: Held): SettledRow {
  return { ...row, state: 'pending', nextAttemptAt: now, updatedAt: now };
}

function later(now: Date, ms: number): Date {
  return new Date(now.getTime() + checked(millisecondsSchema, ms, 'retryInMs'));
}

/** Null when the row is not in work under this very lease. */
async function readHeld(deliveries: Model<DeliveryDocument>, hold: Hold, signal: AbortSignal): Promise<Held | null> {
  const stages = [{ $match: heldBy(hold) }, { $project: { body: 0 } }, { $set: { now: '$$NOW' } }];
  const query = () => deliveries.aggregate<DeliveryDocument & { now: Date }>(stages).exec();
  const [found] = await inTime('read a delivery in work', signal, query);
  if (found === undefined) return null;
  const { now, ...document } = found;
  const { id, lane, trigger, attempts, ownFailures } = toRow(document);
  return { row: { id, lane, trigger, attempts, ownFailures }, now };
}

/** One atomic update of a row that is in work under this very lease; false when it is not. */
async function writeHeld(
  deliveries: Model<DeliveryDocument>,
  hold: Hold,
  { state, lane, trigger, attempts, ownFailures, nextAttemptAt, updatedAt }: SettledRow,
  signal: AbortSignal,
): Promise<boolean> {
  const fields = { state, lane, trigger, attempts, ownFailures, lease: null, updatedAt };
  const update =
    nextAttemptAt === null
      ? { $set: fields, $unset: { nextAttemptAt: 1 as const } }
      : { $set: { ...fields, nextAttemptAt } };
  const query = () => deliveries.updateOne(heldBy(hold), update).exec();
  return (await inTime('settle a delivery', signal, query)).matchedCount === 1;
}

/** True when the row is as it was to become; the time to the millisecond is that of no other attempt. */
async function isWritten(
  deliveries: Model<DeliveryDocument>,
  { id, state, attempts, updatedAt }: SettledRow,
  signal: AbortSignal,
): Promise<boolean> {
  const filter = { _id: id, state, attempts, updatedAt, lease: null };
  return (await inTime('read a settled delivery', signal, () => deliveries.countDocuments(filter).exec())) === 1;
}

function heldBy({ rowId, owner }: Hold) {
  return {
    _id: checked(rowIdSchema, rowId, 'rowId'),
    state: 'delivering' as const,
    'lease.owner': checked(ownerSchema, owner, 'owner'),
  };
}
