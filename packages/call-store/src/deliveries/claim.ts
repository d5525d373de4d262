import { trusted, type Model } from 'mongoose';
import { inTime } from '../connection/in-time.ts';
import { checked } from '../connection/scalars.ts';
import type { EndpointBook } from './endpoint/book.ts';
import { LANES } from './endpoint/due.ts';
import type { Endpoint, EndpointChange, Lane } from './endpoint/endpoint.ts';
import { noteLook, returnSlots, takeSlots, type SlotRequest } from './endpoint/slots.ts';
import { leaseFields } from './freeze.ts';
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
type Waiting = { readonly _id: string; readonly nextAttemptAt: Date };
/** A lane that was not read is not there. */
type Pages = Readonly<Partial<Record<Lane, readonly Waiting[]>>>;

const ANY_PLACE: ClaimPlaces = { keep: (_endpointId, wanted) => wanted, giveBack: () => undefined };
/** Endpoints that one round looks at, the one that waited longest first. */
const MAX_ENDPOINTS = 256;
/** Endpoints that are worked on at the same time. */
const PARALLEL = 8;
/** As `$exists`, but as bounds of the index: the local stand-in looks through all rows of an endpoint and lane otherwise. */
const WHENEVER = { $gt: new Date(0) };
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
  const pages = await readPages(deps.deliveries, endpoint, options, now);
  const owner = `${checked(ownerSchema, options.owner, 'owner')}#${(claims += 1)}`;
  const granted = await deps.book.change(
    endpoint.id,
    takeAndNote(endpoint, pages, owner, options, now),
    options.signal,
  );
  if (granted.length === 0) return [];
  const rows = await leaseRows(
    deps.deliveries,
    { ids: granted, dueAt: now, lease: { owner, leaseMs: options.leaseMs } },
    options.signal,
  );
  const waited = new Map(
    Object.values(pages)
      .flat()
      .map((row) => [row._id, row.nextAttemptAt]),
  );
  const claimed = rows.map((row) => ({ row, hold: holdOf(row, owner), dueAt: waited.get(row.id) ?? now }));
  for (const { row, hold } of claimed) deps.leased.remember(hold, row, now, at);
  // Others may have been faster with a row; what was granted for it goes back.
  const unused = granted.filter((id) => !rows.some((row) => row.id === id)).map((id) => slotOf(owner, id));
  if (unused.length > 0) await deps.book.change(endpoint.id, returnSlots(unused), options.signal);
  return claimed;
}

/** The oldest rows of each lane that may send: one more than may be taken, so that what stays behind is known. */
async function readPages(
  deliveries: Model<DeliveryDocument>,
  endpoint: Endpoint,
  { limit, later, signal }: ClaimOptions,
  now: Date,
): Promise<Pages> {
  const page = (lane: Lane, size: number): Promise<Waiting[]> => {
    const query = () =>
      deliveries
        .find({ endpointId: endpoint.id, lane, nextAttemptAt: trusted(WHENEVER) }, { nextAttemptAt: 1 })
        .sort({ nextAttemptAt: 1 })
        .limit(size + 1)
        .lean<Waiting[]>()
        .exec();
    return inTime('find due deliveries', signal, query);
  };
  const isOpen = endpoint.state === 'active' || (endpoint.resumesAt !== null && endpoint.resumesAt <= now);
  // A test that ended with its process waits since the end of its lease, which nobody may have noted so far.
  const hasTest = endpoint.waiting.test !== null || endpoint.leases.some((lease) => lease.lane === 'test');
  const [first, after, test] = await Promise.all([
    isOpen ? page('first', limit) : null,
    isOpen ? page('later', Math.max(0, later)) : null,
    hasTest ? page('test', limit) : null,
  ]);
  return { ...(first && { first }), ...(after && { later: after }), ...(test && { test }) };
}

/** Takes slots for the rows that are due, and notes what stays behind. Answers with the ids of the rows that got one. */
function takeAndNote(
  seen: Endpoint,
  pages: Pages,
  owner: string,
  options: ClaimOptions,
  now: Date,
): EndpointChange<string[]> {
  const isDue = ({ nextAttemptAt }: Waiting): boolean => nextAttemptAt <= now;
  const dueOf = (lane: Lane, count: number): Waiting[] => (pages[lane] ?? []).filter(isDue).slice(0, count);
  const test = dueOf('test', options.limit);
  const first = dueOf('first', options.limit - test.length);
  const later = dueOf('later', Math.min(options.later, options.limit - test.length - first.length));
  const request = (lane: Lane, rows: readonly Waiting[]): SlotRequest => ({
    lane,
    ids: rows.map((row) => slotOf(owner, row._id)),
    leaseMs: options.leaseMs,
  });
  const take = takeSlots([request('test', test), request('first', first), request('later', later)]);
  return (endpoint, at) => {
    const taken = take(endpoint, at);
    const ids = new Set(taken.answer);
    const look: { [L in Lane]?: Date | null } = {};
    for (const lane of LANES) {
      const rows = pages[lane];
      const left = rows?.find((row) => !ids.has(slotOf(owner, row._id)));
      if (rows !== undefined) look[lane] = left?.nextAttemptAt ?? null;
    }
    const noted = noteLook(seen.version, look)(taken.endpoint, at);
    const rows = [...test, ...first, ...later].filter((row) => ids.has(slotOf(owner, row._id)));
    return { endpoint: noted.endpoint, answer: rows.map((row) => row._id) };
  };
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

function slotOf(owner: string, rowId: string): string {
  return `${owner}/${rowId}`;
}
