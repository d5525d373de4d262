import { trusted } from 'mongoose';
import { callSidSchema } from '@pipeline/contracts';
import { inTime } from '../connection/in-time.ts';
import { checked } from '../connection/scalars.ts';
import { internalsOf, type Store } from '../connection/store.ts';
import type { AttemptOutcome, StoredAttempt } from './attempt.ts';
import { createAttemptLog } from './attempt-log.ts';
import { claimDue, type Claimed, type ClaimOptions } from './claim.ts';
import { createEndpointBook, type BookOptions, type EndpointBook } from './endpoint/book.ts';
import { freeze, type Frozen } from './freeze.ts';
import { healInTurn } from './heal.ts';
import { createLeasedRows } from './leased-rows.ts';
import { toRow, toStoredAttempt } from './mapping.ts';
import { DELIVERY_PLAN, deliveryModels } from './model.ts';
import {
  rowIdSchema,
  webhookIdSchema,
  type Beginning,
  type DeliveryRow,
  type DeliveryState,
  type EventType,
  type Hold,
  type NewDelivery,
} from './row.ts';
import { release, settle, type Settled } from './settle.ts';

/**
 * The deliveries of webhooks. All times are the database's, so the clocks of workers do not matter. Every function throws
 * RetryLaterError while the database cannot answer, and a TypeError for an id that is none.
 */
export type DeliveryStore = {
  /**
   * Keeps the bytes of a webhook for ever. `send`: in the hands of the caller, who sends it next, when the endpoint has a slot for it.
   * A row that was there is left alone.
   */
  freeze(row: NewDelivery, beginning: Beginning, signal: AbortSignal): Promise<Frozen>;
  /** What was frozen for a call so far, lowest revision first. */
  frozenRevisions(callSid: string, signal: AbortSignal): Promise<FrozenRevision[]>;
  /**
   * Takes up to `limit` due rows, endpoint by endpoint, each with a slot of its endpoint: as many as its cap, rate, breaker and state
   * allow, over all processes. Rows whose lease has ended are due again.
   */
  claimDue(options: ClaimOptions): Promise<Claimed[]>;
  /**
   * Ends a hold with what came of it: one atomic update of the row, fenced by its lease, then the endpoint and the attempt log. `lost`
   * when the row is leased to somebody else or nobody by now; the endpoint hears of the attempt all the same. Asked again with the same
   * hold after an error it goes on where it broke off.
   */
  settle(hold: Hold, outcome: AttemptOutcome, signal: AbortSignal): Promise<Settled>;
  /** Gives a row back unsent, due at once: for a shutdown. False when it was not the holder's any more. */
  release(hold: Hold, signal: AbortSignal): Promise<boolean>;
  /**
   * Looks for rows that are overdue and unknown to their endpoint, and makes them known; answers of how many lanes. All processes may ask
   * as often as they like: one of them does it, once in 55 s, and the others are told 0. Throws after 45 s of looking.
   */
  healDue(signal: AbortSignal): Promise<number>;
  /** The endpoints, for whoever shows, pauses or resumes them. */
  readonly endpoints: EndpointBook;
  /** The rows of a webhook, one for each endpoint; at most 100. */
  find(webhookId: string, signal: AbortSignal): Promise<DeliveryRow[]>;
  /** The rows of a call without their bodies, oldest first; at most 200. */
  listByCall(callSid: string, signal: AbortSignal): Promise<DeliveryRow[]>;
  /** The attempt log of a row, first to last; at most 200. */
  listAttempts(rowId: string, signal: AbortSignal): Promise<StoredAttempt[]>;
};

/** One frozen body of a call. */
export type FrozenRevision = {
  readonly webhookId: string;
  readonly endpointId: string;
  readonly eventType: EventType;
  readonly revision: number;
  readonly state: DeliveryState;
};

const MAX_ROWS = 200;
const WITHOUT_BODY = { body: 0 } as const;

/** The deliveries on a store. The store is unready until their collections and indexes are there. */
export function createDeliveryStore(store: Store, options: Pick<BookOptions, 'onNotice'> = {}): DeliveryStore {
  const { connection, expect, logger } = internalsOf(store);
  expect(DELIVERY_PLAN);
  const models = deliveryModels(connection('delivery'));
  const { deliveries, attempts } = models;
  const book = createEndpointBook(models.endpoints, options);
  const leased = createLeasedRows();
  const log = createAttemptLog(attempts, logger);
  const settling = { deliveries, book, log, unfinished: new WeakMap(), leased };

  return {
    endpoints: book,
    freeze: (row, beginning, signal) => freeze({ deliveries, book, leased }, row, beginning, signal),
    claimDue: (claim) => claimDue({ deliveries, book, leased }, claim),
    settle: (hold, outcome, signal) => settle(settling, hold, outcome, signal),
    release: (hold, signal) => release(settling, hold, signal),
    healDue: (signal) => healInTurn(models, book, signal),
    frozenRevisions: async (callSid, signal) => {
      const filter = { callSid: checked(callSidSchema, callSid, 'callSid') };
      const query = () => deliveries.find(filter, WITHOUT_BODY).sort({ revision: 1 }).limit(MAX_ROWS).lean().exec();
      return (await inTime('list frozen revisions', signal, query)).map((row) => ({
        webhookId: row.webhookId,
        endpointId: row.endpointId,
        eventType: row.eventType,
        revision: row.revision,
        state: row.state,
      }));
    },
    find: async (webhookId, signal) => {
      const id = checked(webhookIdSchema, webhookId, 'webhookId');
      // `@` is followed by `A` in ASCII and stands in no webhook id: the range is exactly this webhook's rows.
      const filter = { _id: trusted({ $gte: `${id}@`, $lt: `${id}A` }) };
      return (await inTime('find a delivery', signal, () => deliveries.find(filter).limit(100).lean().exec())).map(
        toRow,
      );
    },
    listByCall: async (callSid, signal) => {
      const filter = { callSid: checked(callSidSchema, callSid, 'callSid') };
      const query = () => deliveries.find(filter, WITHOUT_BODY).sort({ createdAt: 1 }).limit(MAX_ROWS).lean().exec();
      return (await inTime('list deliveries of a call', signal, query)).map(toRow);
    },
    listAttempts: async (rowId, signal) => {
      const filter = { deliveryId: checked(rowIdSchema, rowId, 'rowId') };
      const query = () => attempts.find(filter).sort({ at: 1 }).limit(MAX_ROWS).lean().exec();
      return (await inTime('list attempts', signal, query)).map(toStoredAttempt);
    },
  };
}
