import { trusted, type Model } from 'mongoose';
import { businessIdSchema } from '@pipeline/contracts';
import { inTime } from '../connection/in-time.ts';
import { checked } from '../connection/scalars.ts';
import { internalsOf, type Store } from '../connection/store.ts';
import { createEndpointBook } from './endpoint/book.ts';
import type { EndpointChange, Lane } from './endpoint/endpoint.ts';
import { isHeld } from './endpoint/hold.ts';
import { noteWaiting } from './endpoint/slots.ts';
import { toRow } from './mapping.ts';
import { BY_BUSINESS, BY_TIME, DELIVERY_PLAN, deliveryModels, type DeliveryDocument } from './model.ts';
import { rowIdSchema, type DeliveryRow, type DeliveryState, type EventType } from './row.ts';

/** Which rows an operator means: all conditions together. Times are when the row was made, which is when the event happened. */
export type DeliverySearch = {
  readonly businessId?: string;
  /** At least one. */
  readonly states: readonly DeliveryState[];
  readonly eventType?: EventType;
  readonly since?: Date;
  readonly until?: Date;
};

/** A place in the order of a search: rows by the time they were made, then by id. */
export type SearchPlace = { readonly createdAt: Date; readonly id: string };

/** How a replay ended. The bytes and the id are those that were frozen. */
export type Replayed =
  /** It is due now. `isHeld`: it waits, because its endpoint gets nothing at present, or one probe at a time. */
  | { readonly kind: 'due'; readonly row: DeliveryRow; readonly isHeld: boolean }
  /** A process is sending it at this moment. */
  | { readonly kind: 'in_work' }
  /** It has another state by now than the ones that were meant: somebody else has replayed it, or it was delivered. */
  | { readonly kind: 'changed' }
  /** Retention or an erasure has removed its bytes. */
  | { readonly kind: 'no_body' }
  | { readonly kind: 'unknown' };

/** What operators do with deliveries; all of it is one atomic write per row, whatever the dispatchers do meanwhile. */
export type OperatorDeliveries = {
  /** Rows that fit, oldest first, after a place; without their bodies. */
  search(
    search: DeliverySearch,
    page: { readonly limit: number; readonly after?: SearchPlace },
    signal: AbortSignal,
  ): Promise<DeliveryRow[]>;
  /** How many rows fit. */
  count(search: DeliverySearch, signal: AbortSignal): Promise<number>;
  /**
   * Makes a row due now, with a schedule of its own: the same id, the same bytes. A row that waits for its next attempt is sent sooner.
   * `states`: only if it is in one of these at this very moment.
   */
  replay(rowId: string, states: readonly DeliveryState[] | 'any', signal: AbortSignal): Promise<Replayed>;
};

const WITHOUT_BODY = { body: 0 } as const;
/** Times that a row is tried that is in work, and no longer when one looks. */
const MAX_TRIES = 3;
/** A count over a long time reads many index entries. */
const COUNT_DEADLINE_MS = 60_000;

/** The operator's side of deliveries on a store. */
export function createOperatorDeliveries(store: Store): OperatorDeliveries {
  const { connection, expect } = internalsOf(store);
  expect(DELIVERY_PLAN);
  const { deliveries, endpoints } = deliveryModels(connection('delivery'));
  const book = createEndpointBook(endpoints, {});
  return {
    search: async (search, { limit, after }, signal) => {
      const filter = after === undefined ? filterOf(search) : behind(after, search);
      const query = () =>
        deliveries
          .find(filter, WITHOUT_BODY)
          .sort({ createdAt: 1, _id: 1 })
          .limit(limit)
          .hint(search.businessId === undefined ? BY_TIME : BY_BUSINESS)
          .lean()
          .exec();
      return (await inTime('search deliveries', signal, query)).map(toRow);
    },
    count: (search, signal) =>
      inTime('count deliveries', signal, () => deliveries.countDocuments(filterOf(search)).exec(), COUNT_DEADLINE_MS),
    replay: async (rowId, states, signal) => {
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const row = await makeDue(deliveries, rowId, states, signal);
        if (row !== null) {
          return { kind: 'due', row, isHeld: await book.change(row.endpointId, noteReplay(row.lane), signal) };
        }
        const reason = await whyNot(deliveries, rowId, states, signal);
        if (reason !== null) return reason;
      }
      return { kind: 'in_work' };
    },
  };
}

/** Answers whether the row waits. Nothing holds up a test. */
function noteReplay(lane: Lane): EndpointChange<boolean> {
  return (endpoint, now) => {
    const { endpoint: noted } = noteWaiting(lane, 'now')(endpoint, now);
    return { endpoint: noted, answer: lane !== 'test' && isHeld(noted, now) };
  };
}

function filterOf(search: DeliverySearch): Record<string, unknown> {
  const times = {
    ...(search.since === undefined ? {} : { $gte: search.since }),
    ...(search.until === undefined ? {} : { $lt: search.until }),
  };
  return {
    ...(search.businessId === undefined
      ? {}
      : { businessId: checked(businessIdSchema, search.businessId, 'businessId') }),
    state: trusted({ $in: [...search.states] }),
    ...(search.eventType === undefined ? {} : { eventType: search.eventType }),
    ...(Object.keys(times).length === 0 ? {} : { createdAt: trusted(times) }),
  };
}

/** From the place on: the time is a bound of the index, so no page reads what the ones before it have read. */
function behind({ createdAt, id }: SearchPlace, search: DeliverySearch): Record<string, unknown> {
  const since = search.since !== undefined && search.since > createdAt ? search.since : createdAt;
  const others = [
    { createdAt: trusted({ $gt: createdAt }) },
    { _id: trusted({ $gt: checked(rowIdSchema, id, 'rowId') }) },
  ];
  return { ...filterOf({ ...search, since }), $or: others };
}

/** A test keeps its own lane; everything else waits among the retries, so that a replay never holds up a first attempt. */
async function makeDue(
  deliveries: Model<DeliveryDocument>,
  rowId: string,
  states: readonly DeliveryState[] | 'any',
  signal: AbortSignal,
): Promise<DeliveryRow | null> {
  const meant = states === 'any' ? {} : { $in: [...states] };
  const filter = {
    _id: checked(rowIdSchema, rowId, 'rowId'),
    state: trusted({ $ne: 'delivering' as const, ...meant }),
    body: trusted({ $type: 'binData' }),
  };
  const due = {
    state: { $literal: 'pending' },
    lease: { $literal: null },
    lane: { $cond: [{ $eq: ['$lane', 'test'] }, 'test', 'later'] },
    trigger: { $literal: 'replay' },
    priorAttempts: '$attempts',
    ownFailures: { $literal: null },
    openedAt: '$$NOW',
    nextAttemptAt: '$$NOW',
    updatedAt: '$$NOW',
  };
  const options = { updatePipeline: true, returnDocument: 'after', projection: WITHOUT_BODY } as const;
  const query = () =>
    deliveries
      .findOneAndUpdate(filter, [{ $set: due }], options)
      .lean()
      .exec();
  const row = await inTime('replay a delivery', signal, query);
  return row === null ? null : toRow(row);
}

/** Null when nothing speaks against it by now: it was in work a moment ago. */
async function whyNot(
  deliveries: Model<DeliveryDocument>,
  rowId: string,
  states: readonly DeliveryState[] | 'any',
  signal: AbortSignal,
): Promise<Replayed | null> {
  const hasBody = { $eq: [{ $type: '$body' }, 'binData'] };
  const stages = [{ $match: { _id: rowId } }, { $project: { state: 1, hasBody } }];
  const query = () => deliveries.aggregate<{ state: DeliveryState; hasBody: boolean }>(stages).exec();
  const [row] = await inTime('read a delivery', signal, query);
  if (row === undefined) return { kind: 'unknown' };
  if (row.state === 'delivering') return { kind: 'in_work' };
  if (states !== 'any' && !states.includes(row.state)) return { kind: 'changed' };
  return row.hasBody ? null : { kind: 'no_body' };
}
