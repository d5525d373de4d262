import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import mongoose, { type Model } from 'mongoose';
import type { z } from 'zod';
import { inTime } from '../connection/in-time.ts';
import { checked } from '../connection/scalars.ts';
import type { EndpointBook } from './endpoint/book.ts';
import type { EndpointChange } from './endpoint/endpoint.ts';
import { noteWaiting, returnSlots, takeSlots } from './endpoint/slots.ts';
import type { LeasedRows } from './leased-rows.ts';
import type { DeliveryDocument } from './model.ts';
import {
  millisecondsSchema,
  newDeliverySchema,
  ownerSchema,
  type Beginning,
  type Hold,
  type Lease,
  type NewDelivery,
} from './row.ts';

/** How freezing ended. */
export type Frozen =
  /** The row is new and in the hands of the caller, who sends it next. */
  | { readonly kind: 'held'; readonly hold: Hold }
  /** The row is new; it waits until somebody claims it, or for a URL. */
  | { readonly kind: 'kept' }
  /** The row was there. It is left alone: whoever made it will send it. */
  | { readonly kind: 'exists' };

export type FreezeDeps = {
  readonly deliveries: Model<DeliveryDocument>;
  readonly book: EndpointBook;
  readonly leased: LeasedRows;
};

let takes = 0;

/**
 * See `DeliveryStore.freeze`. The slot comes first and the row second: a process that dies between the two leaves a slot that ends by
 * itself, and a row is never in flight without one. A row that only waits is made first and noted at the endpoint second.
 */
export async function freeze(
  { deliveries, book, leased }: FreezeDeps,
  row: NewDelivery,
  beginning: Beginning,
  signal: AbortSignal,
): Promise<Frozen> {
  const checkedRow = newDeliverySchema.parse(row);
  const { endpointId, lane } = checkedRow;
  if (beginning.kind === 'send') {
    const at = performance.now();
    const taken = await takeHold(book, checkedRow, beginning, signal);
    if (taken !== null) {
      const { hold, now } = taken;
      const lease = { owner: hold.owner, leaseMs: beginning.lease.leaseMs };
      if (await insert(deliveries, checkedRow, leaseFields(lease), signal)) {
        const { trigger } = checkedRow;
        leased.remember(hold, { id: hold.rowId, lane, trigger, attempts: 0, ownFailures: null }, now, at);
        return { kind: 'held', hold };
      }
      await book.change(endpointId, returnSlots([hold.slot]), signal);
      return { kind: 'exists' };
    }
  }
  const waits = beginning.kind === 'no_endpoint' ? WITHOUT_ENDPOINT : DUE;
  if (!(await insert(deliveries, checkedRow, waits, signal))) return { kind: 'exists' };
  if (beginning.kind !== 'no_endpoint') await book.change(endpointId, noteWaiting(lane, 'now'), signal);
  return { kind: 'kept' };
}

async function takeHold(
  book: EndpointBook,
  row: z.output<typeof newDeliverySchema>,
  { lease, limits }: Extract<Beginning, { kind: 'send' }>,
  signal: AbortSignal,
): Promise<{ readonly hold: Hold; readonly now: Date } | null> {
  const { endpointId, lane } = row;
  const owner = `${checked(ownerSchema, lease.owner, 'owner')}#f${(takes += 1)}`;
  const request = { lane, ids: [owner], leaseMs: lease.leaseMs };
  const take = takeSlots([request], { limits });
  const takeAndTell: EndpointChange<{ readonly slots: string[]; readonly now: Date }> = (endpoint, now) => {
    const { answer: slots, ...taken } = take(endpoint, now);
    return { ...taken, answer: { slots, now } };
  };
  const { slots, now } = await book.change(endpointId, takeAndTell, signal);
  const [slot] = slots;
  if (slot === undefined) return null;
  return { hold: { rowId: `${row.webhookId}@${endpointId}`, endpointId, owner, slot, lane }, now };
}

/** The update of a row that exists puts the row in place of itself, so nothing changes. False when it existed. */
async function insert(
  deliveries: Model<DeliveryDocument>,
  row: z.output<typeof newDeliverySchema>,
  beginning: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<boolean> {
  const { body, traceparent, ...keys } = row;
  const bytes = Buffer.from(body);
  const content = {
    ...keys,
    body: new mongoose.mongo.Binary(bytes),
    bodySha256: createHash('sha256').update(bytes).digest('hex'),
    attempts: 0,
    priorAttempts: 0,
    ...(traceparent === undefined ? {} : { traceparent }),
    ownFailures: null,
  };
  const frozen = { $mergeObjects: [{ $literal: content }, beginning, { _id: '$_id', ...TIMES_OF_NEW }] };
  const isNew = { $eq: [{ $type: '$state' }, 'missing'] };
  const update = [{ $replaceWith: { $cond: [isNew, frozen, '$$ROOT'] } }];
  const filter = { _id: `${keys.webhookId}@${keys.endpointId}` };
  const options = { upsert: true, updatePipeline: true } as const;
  const result = await inTime('freeze a delivery', signal, () => deliveries.updateOne(filter, update, options).exec());
  return result.upsertedCount === 1;
}

/** The parts of a row that say who works on it until when, for an update pipeline. */
export function leaseFields(lease: Lease): Readonly<Record<string, unknown>> {
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

const TIMES_OF_NEW = { createdAt: '$$NOW', updatedAt: '$$NOW', openedAt: '$$NOW' };
const DUE = { state: { $literal: 'pending' }, lease: { $literal: null }, nextAttemptAt: '$$NOW' };
const WITHOUT_ENDPOINT = { state: { $literal: 'no_endpoint' }, lease: { $literal: null } };
