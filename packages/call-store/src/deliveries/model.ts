import { Schema, type Connection, type Model } from 'mongoose';
import type { CollectionPlan } from '../connection/collections.ts';
import { modelOf } from '../connection/model.ts';
import { ENDPOINTS, endpointSchema, type EndpointDocument } from './endpoint/document.ts';
import type { Lane } from './endpoint/endpoint.ts';
import type { DeliveryRow, DeliveryState, EventType, Trigger } from './row.ts';
import { TURNS, turnSchema, type TurnDocument } from './turn.ts';

const DELIVERIES = 'webhook_deliveries';
const ATTEMPTS = 'webhook_attempts';

/** Days that the record of an attempt is kept. */
const ATTEMPT_DAYS = 30;

/**
 * A delivery as it is kept. `nextAttemptAt` is when the row may be claimed: the next attempt of a pending row, the end of the
 * lease of one in work. Rows that wait for nothing do not have the field, so the index over it holds open rows only.
 */
export type DeliveryDocument = {
  readonly _id: string;
  readonly webhookId: string;
  readonly endpointId: string;
  readonly businessId: string;
  readonly callSid: string | null;
  readonly eventType: EventType;
  readonly revision: number;
  readonly body?: unknown;
  readonly bodySha256: string;
  readonly state: DeliveryState;
  readonly lease: { readonly owner: string; readonly until: Date } | null;
  readonly nextAttemptAt?: Date;
  readonly lane: Lane;
  readonly trigger: Trigger;
  readonly attempts: number;
  readonly priorAttempts: number;
  /** Rows of before this was kept do not have it. */
  readonly ownFailures?: DeliveryRow['ownFailures'];
  readonly openedAt: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly traceparent?: string;
};

const deliverySchema = new Schema<DeliveryDocument>(
  {
    _id: { type: String, required: true },
    webhookId: String,
    endpointId: String,
    businessId: String,
    callSid: String,
    eventType: String,
    revision: Number,
    body: Buffer,
    bodySha256: String,
    state: String,
    lease: { owner: String, until: Date },
    nextAttemptAt: Date,
    lane: String,
    trigger: String,
    attempts: Number,
    priorAttempts: Number,
    ownFailures: { since: Date, count: Number },
    openedAt: Date,
    createdAt: Date,
    updatedAt: Date,
    traceparent: String,
  },
  { collection: DELIVERIES, versionKey: false, strict: false, autoCreate: false, autoIndex: false },
);

/** One try, as it is kept: what the dispatcher says about it, beside these. */
export type AttemptDocument = { readonly deliveryId: string; readonly number: number; readonly at: Date };

const attemptSchema = new Schema<AttemptDocument>(
  { deliveryId: String, number: Number, at: Date },
  { collection: ATTEMPTS, versionKey: false, strict: false, autoCreate: false, autoIndex: false },
);

/** Indexes of an operator's search, in all businesses and in one: in the order of its pages, so that each begins where the last one ended. */
export const BY_TIME = 'state_time';
export const BY_BUSINESS = 'business_time';

const isOpen = { nextAttemptAt: { $exists: true } };

/**
 * `endpoint` finds the oldest due rows of an endpoint and lane, and all lanes that have such; attempts remove themselves; `due` of endpoints
 * is where to look.
 */
export const DELIVERY_PLAN: readonly CollectionPlan[] = [
  {
    database: 'delivery',
    name: DELIVERIES,
    indexes: [
      { name: 'endpoint', key: { endpointId: 1, lane: 1, nextAttemptAt: 1 }, partialFilterExpression: isOpen },
      { name: 'call', key: { callSid: 1, revision: 1 } },
      { name: BY_BUSINESS, key: { businessId: 1, state: 1, createdAt: 1, _id: 1 } },
      { name: BY_TIME, key: { state: 1, createdAt: 1, _id: 1 } },
    ],
    retired: ['due', 'business', 'state'],
  },
  {
    database: 'delivery',
    name: ATTEMPTS,
    indexes: [
      { name: 'retention', key: { at: 1 }, expireAfterSeconds: ATTEMPT_DAYS * 86_400 },
      { name: 'delivery', key: { deliveryId: 1, number: 1 } },
    ],
  },
  {
    database: 'delivery',
    name: ENDPOINTS,
    indexes: [{ name: 'due', key: { nextDueAt: 1 }, partialFilterExpression: { nextDueAt: { $exists: true } } }],
  },
  { database: 'delivery', name: TURNS, indexes: [] },
];

export type DeliveryModels = {
  readonly deliveries: Model<DeliveryDocument>;
  readonly attempts: Model<AttemptDocument>;
  readonly endpoints: Model<EndpointDocument>;
  readonly turns: Model<TurnDocument>;
};

/** The models on a connection to `delivery`. */
export function deliveryModels(connection: Connection): DeliveryModels {
  return {
    deliveries: modelOf(connection, deliverySchema, DELIVERIES),
    attempts: modelOf(connection, attemptSchema, ATTEMPTS),
    endpoints: modelOf(connection, endpointSchema, ENDPOINTS),
    turns: modelOf(connection, turnSchema, TURNS),
  };
}
