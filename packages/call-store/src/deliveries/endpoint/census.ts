import { trusted, type Model } from 'mongoose';
import { inTime } from '../../connection/in-time.ts';
import { databaseNow } from '../clock.ts';
import type { EndpointDocument } from './document.ts';

/** Endpoints by what keeps them from being sent to, and how many seconds the oldest thing that could be sent has waited. */
export type EndpointCensus = {
  readonly paused: number;
  readonly disabled: number;
  readonly breakerOpen: number;
  readonly oldestDueSeconds: number;
};

/** As `$exists`, but as bounds of the partial index over `nextDueAt`. */
const WHENEVER = trusted({ $gt: new Date(0) });

/** How the endpoints are: of the index over `nextDueAt` its first entry, and three counts over one document a business. */
export async function takeCensus(model: Model<EndpointDocument>, signal: AbortSignal): Promise<EndpointCensus> {
  // By the driver itself: the model knows only what is queried elsewhere.
  const count = (filter: object) => inTime('count endpoints', signal, () => model.collection.countDocuments(filter));
  const first = () => model.findOne({ nextDueAt: WHENEVER }, { nextDueAt: 1 }).sort({ nextDueAt: 1 }).lean().exec();
  const [paused, disabled, breakerOpen, oldest, now] = await Promise.all([
    count({ state: 'paused' }),
    count({ state: 'disabled' }),
    count({ breaker: { $type: 'object' } }),
    inTime('find the oldest due endpoint', signal, first),
    databaseNow(model, signal),
  ]);
  const waitedMs = now.getTime() - (oldest?.nextDueAt ?? now).getTime();
  return { paused, disabled, breakerOpen, oldestDueSeconds: Math.max(0, waitedMs) / 1_000 };
}
