import { z } from 'zod';
import { businessIdSchema, callSidSchema, revisionSchema } from '@pipeline/contracts';
import { WEBHOOK_EVENTS, type WebhookEventType } from '@pipeline/contracts/webhook';
import type { EndpointLimits, Lane } from './endpoint/endpoint.ts';

/**
 * Where a delivery stands. `pending` and `delivering` are open; the others are final and left only by a replay.
 *
 *   pending     -> delivering                                       claimed: a lease of the row and a slot of the endpoint
 *   delivering  -> pending                                          to be tried again, or given back, or its lease has ended
 *   delivering  -> delivered | exhausted | disabled | cancelled | no_endpoint
 *   any final   -> pending                                          replay: lane `later`, a schedule of its own, the same id and bytes
 *
 * `no_endpoint` waits for a business to get a URL. While an endpoint is paused or disabled its rows stay `pending`.
 */
export type DeliveryState =
  | 'pending'
  | 'delivering'
  | 'delivered'
  | 'exhausted'
  | 'disabled'
  | 'cancelled'
  | 'no_endpoint';

/** What is told to the business. */
export type EventType = WebhookEventType;

/** Who wanted the next attempt: the schedule, an operator's replay, or a person's test. */
export type Trigger = 'schedule' | 'replay' | 'manual';

/** One event for one endpoint, with the bytes that are sent however often. */
export type DeliveryRow = {
  /** `<webhookId>@<endpointId>`. */
  readonly id: string;
  readonly webhookId: string;
  readonly endpointId: string;
  readonly businessId: string;
  /** Null for a test, which is about no call. */
  readonly callSid: string | null;
  readonly eventType: EventType;
  /** Revision of the CallLog that the body was made from. */
  readonly revision: number;
  /** The frozen body; null where an erasure or the end of its retention has removed it. */
  readonly body: Buffer | null;
  /** SHA-256 of the frozen body, hexadecimal. */
  readonly bodySha256: string;
  readonly state: DeliveryState;
  /** Who works on it and until when, by the clock of the database. The owner is unique for each time that the row is leased. */
  readonly lease: { readonly owner: string; readonly until: Date } | null;
  /** Which share of the endpoint's slots it waits for. */
  readonly lane: Lane;
  readonly trigger: Trigger;
  /** When it may be claimed; null when it waits for nothing. */
  readonly nextAttemptAt: Date | null;
  /** Attempts that were charged to the receiver so far. */
  readonly attempts: number;
  /** Of these, the ones before the last replay: the schedule begins anew after them. */
  readonly priorAttempts: number;
  /**
   * The attempts up to the last one that failed on our own side, in a row: since when, by the clock of the database, and how many. Null
   * when the last one did not, and after a replay.
   */
  readonly ownFailures: { readonly since: Date; readonly count: number } | null;
  /** When it became due for the first time, or again by a replay. */
  readonly openedAt: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** The trace of the call, of which every attempt is a part (W3C `traceparent`); a test and an older row have none. */
  readonly traceparent?: string | undefined;
};

/** What a row is frozen from. */
export type NewDelivery = Pick<
  DeliveryRow,
  'webhookId' | 'endpointId' | 'businessId' | 'callSid' | 'eventType' | 'revision' | 'traceparent'
> & {
  readonly body: Uint8Array;
  /** Default `first`. */
  readonly lane?: Lane;
  /** Default `schedule`. */
  readonly trigger?: Trigger;
};

/** Who takes a row, and for how many milliseconds. The lease ends by itself. */
export type Lease = { readonly owner: string; readonly leaseMs: number };

/**
 * How a new row begins: sent at once by whoever freezes it, if the endpoint has a slot for it (else it is due for anybody); due for
 * anybody; or waiting for the business to get a URL.
 */
export type Beginning =
  | { readonly kind: 'send'; readonly lease: Lease; readonly limits: EndpointLimits }
  | { readonly kind: 'due' | 'no_endpoint' };

/** What a process has in hand of a delivery: the lease of its row and the slot of its endpoint. Both end by themselves. */
export type Hold = {
  readonly rowId: string;
  readonly endpointId: string;
  /** Unique for each time that a row is leased: whoever lost the lease cannot settle it. */
  readonly owner: string;
  readonly slot: string;
  readonly lane: Lane;
};

/** Id of a webhook (`msg_...`); no `.` (signing) and no `@` (row ids). */
export const webhookIdSchema = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/);
/** Id of an endpoint: the business's id for now. */
export const endpointIdSchema = businessIdSchema;
/** Id of a row. */
export const rowIdSchema = z.string().regex(/^[A-Za-z0-9_-]{1,128}@[A-Za-z0-9_-]{1,64}$/);
/** Name of a lease's owner, unique per process. */
export const ownerSchema = z.string().min(1).max(300);
/** Milliseconds from now, up to 33 days: the longest step of a schedule is 30, and a tenth may be added to it. */
export const millisecondsSchema = z
  .int()
  .min(0)
  .max(33 * 86_400_000);

/** The keys of a new row as they reach filters and documents. */
export const newDeliverySchema = z.strictObject({
  webhookId: webhookIdSchema,
  endpointId: endpointIdSchema,
  businessId: businessIdSchema,
  callSid: callSidSchema.nullable(),
  eventType: z.enum(WEBHOOK_EVENTS),
  revision: revisionSchema,
  body: z.instanceof(Uint8Array),
  traceparent: z.string().max(55).optional(),
  lane: z.enum(['first', 'later', 'test']).default('first'),
  trigger: z.enum(['schedule', 'replay', 'manual']).default('schedule'),
});
