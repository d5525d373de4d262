import { trusted } from 'mongoose';
import { businessIdSchema, callSidSchema } from '@pipeline/contracts';
import { inTime } from '../connection/in-time.ts';
import { checked } from '../connection/scalars.ts';
import { internalsOf, type Store } from '../connection/store.ts';
import type { AttemptOutcome, StoredAttempt } from './attempt.ts';
import { claimDue, type ClaimOptions } from './claim.ts';
import { freeze } from './freeze.ts';
import { toRow, toStoredAttempt } from './mapping.ts';
import { DELIVERY_PLAN, deliveryModels } from './model.ts';
import {
  rowIdSchema,
  webhookIdSchema,
  type DeliveryRow,
  type DeliveryState,
  type EventType,
  type Lease,
  type NewDelivery,
} from './row.ts';
import { release, settle, type Settled } from './settle.ts';

/**
 * The deliveries of webhooks. All times are the database's, so the clocks of workers do not matter. Every function throws
 * RetryLaterError while the database cannot answer, and a TypeError for an id that is none.
 */
export type DeliveryStore = {
  /**
   * Keeps the bytes of a webhook for ever, already leased to the caller, who sends it next. With `lease` null there is nowhere to
   * send it: the row waits as `no_endpoint`. `exists` when the row was there: it is left alone, whoever made it will send it.
   */
  freeze(row: NewDelivery, lease: Lease | null, signal: AbortSignal): Promise<'inserted' | 'exists'>;
  /** What was frozen for a call so far, lowest revision first. */
  frozenRevisions(callSid: string, signal: AbortSignal): Promise<FrozenRevision[]>;
  /**
   * Takes up to `limit` due rows under a lease, the oldest of each endpoint first, endpoints in turn. One endpoint never has more
   * than `perEndpoint` rows in work, so a hanging one cannot fill the batch. Rows whose lease has ended are due again.
   */
  claimDue(options: ClaimOptions): Promise<DeliveryRow[]>;
  /**
   * Ends a lease with what came of it: one atomic update, fenced by the owner, then one document in the attempt log. `lost` when
   * the row is leased to somebody else or nobody by now, and then nothing was written.
   */
  settle(rowId: string, owner: string, outcome: AttemptOutcome, signal: AbortSignal): Promise<Settled>;
  /** Gives a row back unsent, due at once: for a shutdown. False when it was not the owner's any more. */
  release(rowId: string, owner: string, signal: AbortSignal): Promise<boolean>;
  /** The rows of a webhook, one for each endpoint; at most 100. */
  find(webhookId: string, signal: AbortSignal): Promise<DeliveryRow[]>;
  /** The rows of a call without their bodies, oldest first; at most 200. */
  listByCall(callSid: string, signal: AbortSignal): Promise<DeliveryRow[]>;
  /** The rows of a business in one state without their bodies, latest first; at most 200. */
  listByState(businessId: string, state: DeliveryState, signal: AbortSignal): Promise<DeliveryRow[]>;
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
export function createDeliveryStore(store: Store): DeliveryStore {
  const { connection, expect, logger } = internalsOf(store);
  expect(DELIVERY_PLAN);
  const models = deliveryModels(connection('delivery'));
  const { deliveries, attempts } = models;

  return {
    freeze: (row, lease, signal) => freeze(deliveries, row, lease, signal),
    claimDue: (options) => claimDue(deliveries, options),
    settle: (rowId, owner, outcome, signal) => settle(models, logger, { rowId, owner, outcome }, signal),
    release: (rowId, owner, signal) => release(deliveries, rowId, owner, signal),
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
    listByState: async (businessId, state, signal) => {
      const filter = { businessId: checked(businessIdSchema, businessId, 'businessId'), state };
      const query = () => deliveries.find(filter, WITHOUT_BODY).sort({ updatedAt: -1 }).limit(MAX_ROWS).lean().exec();
      return (await inTime('list deliveries of a business', signal, query)).map(toRow);
    },
    listAttempts: async (rowId, signal) => {
      const filter = { deliveryId: checked(rowIdSchema, rowId, 'rowId') };
      const query = () => attempts.find(filter).sort({ at: 1 }).limit(MAX_ROWS).lean().exec();
      return (await inTime('list attempts', signal, query)).map(toStoredAttempt);
    },
  };
}
