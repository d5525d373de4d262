import { setTimeout as delay } from 'node:timers/promises';
import { trusted, type Model } from 'mongoose';
import { RetryLaterError } from '@pipeline/contracts';
import { inTime, isDuplicateKey } from '../../connection/in-time.ts';
import { checked } from '../../connection/scalars.ts';
import { databaseNow } from '../clock.ts';
import { endpointIdSchema } from '../row.ts';
import { takeCensus, type EndpointCensus } from './census.ts';
import { toDocument, toEndpoint, type EndpointDocument } from './document.ts';
import { settleTimes } from './due.ts';
import { newEndpoint, type Endpoint, type EndpointChange, type EndpointNotice } from './endpoint.ts';

/** The endpoints, as every process sees and changes them. */
export type EndpointBook = {
  /**
   * Changes one endpoint by one atomic write, or not at all when the change returns the endpoint as it was. Changes of one process to one
   * endpoint that come together are written together. `now` is the database's clock. Throws RetryLaterError when it cannot be written.
   */
  change<T>(id: string, change: EndpointChange<T>, signal: AbortSignal): Promise<T>;
  /** An endpoint as it is, or null when nothing was ever sent to it. */
  find(id: string, signal: AbortSignal): Promise<Endpoint | null>;
  /** Endpoints that are not simply active, in the order of their ids; at most 200. */
  listStopped(signal: AbortSignal): Promise<Endpoint[]>;
  /** How the endpoints are, for metrics and alerts. */
  census(signal: AbortSignal): Promise<EndpointCensus>;
  /** Endpoints where looking for work is worth while, the one that waited longest first; at most `limit`. */
  listDue(limit: number, signal: AbortSignal): Promise<{ readonly endpoints: Endpoint[]; readonly now: Date }>;
};

export type BookOptions = {
  /** Hears what came of changes that this process wrote. */
  readonly onNotice?: (endpoint: Endpoint, notice: EndpointNotice) => void;
};

/** An endpoint as it was at an instant of the database, and that instant by the clock of this process. */
type Seen = { readonly endpoint: Endpoint; readonly now: Date; readonly seenAt: number };
type Waiting = {
  readonly change: EndpointChange<unknown>;
  resolve(answer: unknown): void;
  reject(error: unknown): void;
};
type Page = { readonly waiting: Waiting[]; isWriting: boolean; seen: Seen | null };

const MAX_TOGETHER = 256;
const MAX_CONFLICTS = 50;
const MAX_LISTED = 200;
/** What is remembered of an endpoint is tried first and read anew when somebody else has written; after this long it is read anyway. */
const REMEMBER_MS = 5_000;
const MAX_REMEMBERED = 4_096;

export function createEndpointBook(model: Model<EndpointDocument>, options: BookOptions): EndpointBook {
  const pages = new Map<string, Page>();

  const writeAll = async (id: string, page: Page): Promise<void> => {
    page.isWriting = true;
    try {
      while (page.waiting.length > 0) await writeTogether(model, id, page, options);
    } finally {
      page.isWriting = false;
      if (pages.size > MAX_REMEMBERED) pages.delete(id);
    }
  };
  return {
    change: <T>(id: string, change: EndpointChange<T>, signal: AbortSignal): Promise<T> => {
      checked(endpointIdSchema, id, 'endpointId');
      signal.throwIfAborted();
      const page = pages.get(id) ?? { waiting: [], isWriting: false, seen: null };
      pages.set(id, page);
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      page.waiting.push({ change, resolve, reject });
      if (!page.isWriting) void writeAll(id, page);
      return promise;
    },
    find: async (id, signal) => {
      const _id = checked(endpointIdSchema, id, 'endpointId');
      const found = await inTime('read an endpoint', signal, () => model.findById(_id).lean().exec());
      return found === null ? null : toEndpoint(found);
    },
    listStopped: async (signal) => {
      const query = () =>
        model
          .find({ state: trusted({ $ne: 'active' }) })
          .sort({ _id: 1 })
          .limit(MAX_LISTED)
          .lean()
          .exec();
      return (await inTime('list endpoints', signal, query)).map(toEndpoint);
    },
    census: (signal) => takeCensus(model, signal),
    listDue: async (limit, signal) => {
      const now = await databaseNow(model, signal);
      const filter = { nextDueAt: trusted({ $lte: now }) };
      const query = () => model.find(filter).sort({ nextDueAt: 1 }).limit(limit).lean().exec();
      return { endpoints: (await inTime('list due endpoints', signal, query)).map(toEndpoint), now };
    },
  };
}

/** Applies what waits to the newest state and writes it, anew as long as others win. */
async function writeTogether(
  model: Model<EndpointDocument>,
  id: string,
  page: Page,
  options: BookOptions,
): Promise<void> {
  const batch = page.waiting.splice(0, MAX_TOGETHER);
  try {
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts++) {
      const isRemembered = page.seen !== null;
      const seen = await newest(model, id, page);
      const now = new Date(seen.now.getTime() + (performance.now() - seen.seenAt));
      const applied = applyAll(batch, seen.endpoint, now);
      const isUnchanged = applied.endpoint === seen.endpoint;
      if (isUnchanged && isRemembered) {
        // No write has proved the memory: somebody may have taken back what this change finds done already.
        page.seen = null;
        continue;
      }
      page.seen = isUnchanged ? seen : await write(model, applied.endpoint, seen);
      if (page.seen !== null) {
        batch.forEach((one, place) => one.resolve(applied.answers[place]));
        for (const notice of applied.notices) options.onNotice?.(applied.endpoint, notice);
        return;
      }
      await delay(Math.random() * Math.min(50, 2 ** conflicts));
    }
    throw new RetryLaterError('an endpoint is written by too many at once', { deadline: 'none' });
  } catch (error) {
    page.seen = null;
    for (const one of batch) one.reject(error);
  }
}

function applyAll(batch: readonly Waiting[], before: Endpoint, now: Date) {
  const notices: EndpointNotice[] = [];
  const answers: unknown[] = [];
  let endpoint = settleTimes(before, now);
  for (const { change } of batch) {
    const changed = change(endpoint, now);
    // What the next of them sees is no longer what was read: a look that was made before must not undo what this one noted.
    if (changed.endpoint !== endpoint) endpoint = { ...changed.endpoint, version: before.version + 1 };
    answers.push(changed.answer);
    notices.push(...(changed.notices ?? []));
  }
  const settled = settleTimes(endpoint, now);
  return { endpoint: settled === before ? before : { ...settled, version: before.version + 1 }, answers, notices };
}

/** What is remembered, or what is stored; an endpoint that is not stored is a new one. */
async function newest(model: Model<EndpointDocument>, id: string, page: Page): Promise<Seen> {
  if (page.seen !== null && performance.now() - page.seen.seenAt < REMEMBER_MS) return page.seen;
  const never = new AbortController().signal;
  const read = () =>
    model.aggregate<EndpointDocument & { now: Date }>([{ $match: { _id: id } }, { $set: { now: '$$NOW' } }]);
  const [found] = await inTime('read an endpoint', never, () => read().exec());
  if (found !== undefined) {
    const { now, ...document } = found;
    return { endpoint: toEndpoint(document), now, seenAt: performance.now() };
  }
  const now = await databaseNow(model, never);
  return { endpoint: newEndpoint(id, now), now, seenAt: performance.now() };
}

/**
 * Null when somebody else has written since. The clock goes on from the last read: the local stand-in looks through the whole collection
 * for a write that also answers with the document, and what it would tell is known.
 */
async function write(model: Model<EndpointDocument>, endpoint: Endpoint, seen: Seen): Promise<Seen | null> {
  const filter = { _id: endpoint.id, version: endpoint.version - 1 };
  const update = [{ $replaceWith: { $mergeObjects: [{ $literal: toDocument(endpoint) }, { updatedAt: '$$NOW' }] } }];
  const options = { upsert: endpoint.version === 1, updatePipeline: true } as const;
  const never = new AbortController().signal;
  try {
    const query = () => model.updateOne(filter, update, options).exec();
    const { matchedCount, upsertedCount } = await inTime('write an endpoint', never, query);
    return matchedCount + upsertedCount === 0 ? null : { ...seen, endpoint };
  } catch (error) {
    if (isDuplicateKey(error)) return null;
    throw error;
  }
}
