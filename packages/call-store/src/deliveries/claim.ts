import { trusted, type Model } from 'mongoose';
import { inTime } from '../connection/in-time.ts';
import { checked } from '../connection/scalars.ts';
import type { EndpointBook } from './endpoint/book.ts';
import { oldest, readPages } from './due-rows.ts';
import { earlier, LANES } from './endpoint/due.ts';
import type { Endpoint, Lane } from './endpoint/endpoint.ts';
import { noteWaiting, returnSlots } from './endpoint/slots.ts';
import { leaseFields } from './freeze.ts';
import { grant, slotOf, type Granted } from './grant.ts';
import type { LeasedRows } from './leased-rows.ts';
import { toRow } from './mapping.ts';
import type { DeliveryDocument } from './model.ts';
import { ownerSchema, type DeliveryRow, type Hold, type Lease } from './row.ts';

export type ClaimOptions = Lease & {
  /** Rows to take at most, of all lanes. */
  readonly limit: number;
  /** Of these, the ones that were tried before. */
  readonly later: number;
  /** What the caller has room for. Default anything up to `limit`. */
  readonly places?: ClaimPlaces;
  readonly signal: AbortSignal;
};

/** The caller's places for rows of one endpoint. */
export type ClaimPlaces = {
  /** Keeps up to `wanted` places, answers how many. What is claimed uses one of them. */
  keep(endpointId: string, wanted: number): number;
  /** Places that were kept and not used. */
  giveBack(endpointId: string, count: number): void;
};

/** A row in the hands of the caller. */
export type Claimed = {
  readonly row: DeliveryRow;
  readonly hold: Hold;
  /** Since when it waited for this. */
  readonly dueAt: Date;
};

type Deps = {
  readonly deliveries: Model<DeliveryDocument>;
  readonly book: EndpointBook;
  readonly leased: LeasedRows;
};
/** A time of the database, and that of the process before it was asked for. */
type Instant = { readonly now: Date; readonly at: number };
const ANY_PLACE: ClaimPlaces = { keep: (_endpointId, wanted) => wanted, giveBack: () => undefined };
/** Endpoints that one round looks at, the one that waited longest first. */
const MAX_ENDPOINTS = 256;
/** Endpoints that are worked on at the same time. */
const PARALLEL = 8;
let claims = 0;

/**
 * See `DeliveryStore.claimDue`. Endpoint first: sorted by due time alone, ten thousand rows of one hung endpoint would stand before
 * everybody else's. Of each endpoint the oldest rows are read, slots are taken for as many as it allows, and these rows are leased.
 */
export async function claimDue(deps: Deps, options: ClaimOptions): Promise<Claimed[]> {
  const { places = ANY_PLACE } = options;
  const at = performance.now();
  const { endpoints, now } = await deps.book.listDue(MAX_ENDPOINTS, options.signal);
  const left = { all: options.limit, later: options.later };
  const claimed: Claimed[] = [];
  const failures: unknown[] = [];
  const queue = [...endpoints];
  const work = async (): Promise<void> => {
    while (left.all > 0) {
      const endpoint = queue.shift();
      if (endpoint === undefined) return;
      const share = places.keep(endpoint.id, Math.min(left.all, Math.max(1, endpoint.limits.maxInFlight)));
      if (share === 0) continue;
      const later = Math.min(left.later, share);
      left.all -= share;
      left.later -= later;
      const rows = await claimOf(deps, endpoint, { ...options, limit: share, later }, { now, at }).catch(
        (error: unknown) => {
          // What others of this look have leased is not thrown away for it.
          failures.push(error);
          queue.length = 0;
          return [];
        },
      );
      places.giveBack(endpoint.id, share - rows.length);
      claimed.push(...rows);
      const taken = rows.filter(({ hold }) => hold.lane === 'later').length;
      left.all += share - rows.length;
      left.later += later - taken;
    }
  };
  // Shares are promised before it is known how much of them is used, so what comes back is shared out again.
  while (queue.length > 0 && left.all > 0) await Promise.all(Array.from({ length: PARALLEL }, work));
  if (claimed.length === 0 && failures.length > 0) throw failures[0];
  return claimed;
}

async function claimOf(
  deps: Deps,
  endpoint: Endpoint,
  options: ClaimOptions,
  { now, at }: Instant,
): Promise<Claimed[]> {
  const { leaseMs, signal } = options;
  const pages = await readPages(deps.deliveries, endpoint, now, options, signal);
  const owner = `${checked(ownerSchema, options.owner, 'owner')}#${(claims += 1)}`;
  const change = grant(endpoint, pages, now, { ...options, owner });
  const granted = await deps.book.change(endpoint.id, change, signal);
  const lying: Laying = { ids: granted.ids, dueAt: now, lease: { owner, leaseMs } };
  const [leased, looked] = await Promise.allSettled([
    leaseRows(deps.deliveries, lying, signal),
    noteOverlooked(deps, endpoint.id, granted, new Date(now.getTime() + leaseMs), signal),
  ]);
  if (leased.status === 'rejected') throw leased.reason;
  const rows = leased.value;
  // What is leased is sent first of all. What the second look would have found is then found by `healDue`.
  if (looked.status === 'rejected' && rows.length === 0) throw looked.reason;
  const waited = new Map(
    Object.values(pages)
      .flat()
      .map((row) => [row._id, row.nextAttemptAt]),
  );
  const claimed = rows.map((row) => ({ row, hold: holdOf(row, owner), dueAt: waited.get(row.id) ?? now }));
  for (const { row, hold } of claimed) deps.leased.remember(hold, row, now, at);
  // Others may have been faster with a row; what was granted for it goes back.
  const unused = granted.ids.filter((id) => !rows.some((row) => row.id === id)).map((id) => slotOf(owner, id));
  if (unused.length > 0) await deps.book.change(endpoint.id, returnSlots(unused), signal);
  return claimed;
}

/**
 * The second look at lanes that were made known for later (see `Raised`). `leasedUntil`: no row that this process or one of the others
 * leases from now on is due earlier, so what is found before that came meanwhile.
 */
async function noteOverlooked(
  { deliveries, book }: Deps,
  endpointId: string,
  { ids, raised }: Granted,
  leasedUntil: Date,
  signal: AbortSignal,
): Promise<void> {
  const look = async (lane: Lane, from: Date | null): Promise<void> => {
    const before = earlier(from, leasedUntil) ?? leasedUntil;
    const rows = await oldest(deliveries, { endpointId, lane, before }, ids.length + 1, signal);
    const overlooked = rows.find(({ _id }) => !ids.includes(_id));
    if (overlooked !== undefined) await book.change(endpointId, noteWaiting(lane, overlooked.nextAttemptAt), signal);
  };
  await Promise.all(LANES.flatMap((lane) => (raised[lane] === undefined ? [] : [look(lane, raised[lane])])));
}

type Laying = { readonly ids: readonly string[]; readonly dueAt: Date; readonly lease: Lease };

/**
 * Leases the rows that are still due, all under one owner of their own, and reads them. Whoever leased or settled one since `dueAt`, an
 * instant of the database that has passed, has made it due later than that.
 */
async function leaseRows(
  deliveries: Model<DeliveryDocument>,
  { ids, dueAt, lease }: Laying,
  signal: AbortSignal,
): Promise<DeliveryRow[]> {
  if (ids.length === 0) return [];
  const update = [{ $set: { ...leaseFields(lease), updatedAt: '$$NOW' } }];
  const filter = { _id: trusted({ $in: [...ids] }), nextAttemptAt: trusted({ $lte: dueAt }) };
  const lay = () => deliveries.updateMany(filter, update, { updatePipeline: true }).exec();
  await inTime('claim deliveries', signal, lay);
  const held = { _id: trusted({ $in: [...ids] }), 'lease.owner': lease.owner };
  const rows = await inTime('read claimed deliveries', signal, () => deliveries.find(held).lean().exec());
  return rows.map(toRow).toSorted((one, other) => ids.indexOf(one.id) - ids.indexOf(other.id));
}

function holdOf(row: DeliveryRow, owner: string): Hold {
  return { rowId: row.id, endpointId: row.endpointId, owner, slot: slotOf(owner, row.id), lane: row.lane };
}
