import { trusted } from 'mongoose';
import { inTime } from '../connection/in-time.ts';
import { databaseNow } from './clock.ts';
import { EPOCH } from './due-rows.ts';
import type { EndpointBook } from './endpoint/book.ts';
import type { Lane } from './endpoint/endpoint.ts';
import { noteWaiting } from './endpoint/slots.ts';
import type { DeliveryModels } from './model.ts';
import { takeTurn } from './turn.ts';

/** Rows that are due for longer than this should be known to their endpoint. */
const OVERDUE_MS = 30_000;
/** Entries of the index that are read at once. What a backlog has behind them is passed over. */
const PAGE = 1_000;
/** The longest that the server works on one page; then it stops, not only whoever asked. */
const PAGE_LIMIT_MS = 10_000;
/** The longest that all of it takes, within the turn of this process. */
const LIMIT_MS = 45_000;
const TURN_MS = 55_000;

/** A lane of an endpoint, and since when its oldest row is due. */
type Overdue = { readonly endpointId: string; readonly lane: Lane; readonly nextAttemptAt: Date };
/** Behind it the next page begins: behind a lane, or behind all lanes of an endpoint. */
type Place = { readonly endpointId: string; readonly lane?: Lane };

/** {@link healDue}, by one process at a time; 0 when it is not the turn of this one. */
export async function healInTurn(models: DeliveryModels, book: EndpointBook, signal: AbortSignal): Promise<number> {
  const isOurs = await takeTurn(models.turns, 'heal', TURN_MS, signal);
  return isOurs ? healDue(models, book, AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)])) : 0;
}

/**
 * Makes overdue rows known that their endpoints do not know of; answers of how many lanes. Rows and endpoints are two documents, and a
 * process may die between the two; a document of an endpoint may be lost. So now and then the rows are asked, which are the truth. Of each
 * lane only the oldest is of interest, so what waits for a paused endpoint costs a page, be it a thousand rows or a million.
 */
export async function healDue(
  models: DeliveryModels,
  book: EndpointBook,
  signal: AbortSignal,
  page = PAGE,
): Promise<number> {
  const now = await databaseNow(models.deliveries, signal);
  const before = new Date(now.getTime() - OVERDUE_MS);
  let healed = 0;
  for (let place: Place | null = { endpointId: '' }; place !== null;) {
    const rows = await readPage(models, place, before, page, signal);
    healed += await makeKnown(models, book, oldestOfLanes(rows), now, signal);
    place = placeBehind(rows, place, page);
  }
  return healed;
}

/** Everything is read from the index `endpoint`, in its order. */
function readPage(
  { deliveries }: DeliveryModels,
  { endpointId, lane }: Place,
  before: Date,
  page: number,
  signal: AbortSignal,
): Promise<Overdue[]> {
  const behind =
    lane === undefined ? { endpointId: trusted({ $gt: endpointId }) } : { endpointId, lane: trusted({ $gt: lane }) };
  const filter = { ...behind, nextAttemptAt: trusted({ $gt: EPOCH, $lt: before }) };
  const query = () =>
    deliveries
      .find(filter, { _id: 0, endpointId: 1, lane: 1, nextAttemptAt: 1 })
      .sort({ endpointId: 1, lane: 1, nextAttemptAt: 1 })
      .limit(page)
      .hint('endpoint')
      .maxTimeMS(PAGE_LIMIT_MS)
      .lean<Overdue[]>()
      .exec();
  return inTime('find overdue deliveries', signal, query);
}

/** Null at the end. A full page may end within a lane, whose oldest row it has. */
function placeBehind(rows: readonly Overdue[], { endpointId, lane }: Place, page: number): Place | null {
  const last = rows.at(-1);
  if (last !== undefined && rows.length === page) return { endpointId: last.endpointId, lane: last.lane };
  return lane === undefined ? null : { endpointId };
}

function oldestOfLanes(rows: readonly Overdue[]): Overdue[] {
  return rows.filter(({ endpointId, lane }, place) => {
    const previous = rows[place - 1];
    return previous?.endpointId !== endpointId || previous.lane !== lane;
  });
}

async function makeKnown(
  models: DeliveryModels,
  book: EndpointBook,
  overdue: readonly Overdue[],
  now: Date,
  signal: AbortSignal,
): Promise<number> {
  if (overdue.length === 0) return 0;
  const ids = [...new Set(overdue.map(({ endpointId }) => endpointId))];
  const query = () =>
    models.endpoints
      .find({ _id: trusted({ $in: ids }) }, { waiting: 1 })
      .maxTimeMS(PAGE_LIMIT_MS)
      .lean()
      .exec();
  const known = new Map((await inTime('read endpoints', signal, query)).map((one) => [one._id, one.waiting]));
  let healed = 0;
  for (const { endpointId, lane, nextAttemptAt } of overdue) {
    const noted = known.get(endpointId)?.[lane] ?? null;
    if (noted !== null && noted <= now) continue;
    await book.change(endpointId, noteWaiting(lane, nextAttemptAt), signal);
    healed += 1;
  }
  return healed;
}
