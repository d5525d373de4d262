import { z } from 'zod';
import { businessIdSchema, callSidSchema, revisionSchema } from '@pipeline/contracts';

/**
 * Where a delivery stands. `pending` and `delivering` are open; the others are final and left only by a replay.
 * `no_endpoint` waits for a business to get a URL.
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
export type EventType = 'call.completed' | 'call.updated' | 'call.erased';

/** One event for one endpoint, with the bytes that are sent however often. */
export type DeliveryRow = {
  /** `<webhookId>@<endpointId>`. */
  readonly id: string;
  readonly webhookId: string;
  readonly endpointId: string;
  readonly businessId: string;
  readonly callSid: string;
  readonly eventType: EventType;
  /** Revision of the CallLog that the body was made from. */
  readonly revision: number;
  /** The frozen body; null once retention or an erasure has removed it. */
  readonly body: Buffer | null;
  /** SHA-256 of the frozen body, hexadecimal. */
  readonly bodySha256: string;
  readonly state: DeliveryState;
  /** Who works on it and until when, by the clock of the database. */
  readonly lease: { readonly owner: string; readonly until: Date } | null;
  /** When it may be claimed; null when it waits for nothing. */
  readonly nextAttemptAt: Date | null;
  /** Attempts that were charged to the receiver so far. */
  readonly attempts: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

/** What a row is frozen from. */
export type NewDelivery = Pick<
  DeliveryRow,
  'webhookId' | 'endpointId' | 'businessId' | 'callSid' | 'eventType' | 'revision'
> & { readonly body: Uint8Array };

/** Who takes a row, and for how many milliseconds. The lease ends by itself. */
export type Lease = { readonly owner: string; readonly leaseMs: number };

/** Id of a webhook (`msg_...`); no `.` (signing) and no `@` (row ids). */
export const webhookIdSchema = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/);
/** Id of an endpoint: the business's id for now. */
export const endpointIdSchema = businessIdSchema;
/** Id of a row. */
export const rowIdSchema = z.string().regex(/^[A-Za-z0-9_-]{1,128}@[A-Za-z0-9_-]{1,64}$/);
/** Name of a lease's owner, unique per process. */
export const ownerSchema = z.string().min(1).max(300);
/** Milliseconds from now, up to 30 days. */
export const millisecondsSchema = z
  .int()
  .min(0)
  .max(30 * 86_400_000);

/** The keys of a new row as they reach filters and documents. */
export const newDeliverySchema = z.strictObject({
  webhookId: webhookIdSchema,
  endpointId: endpointIdSchema,
  businessId: businessIdSchema,
  callSid: callSidSchema,
  eventType: z.enum(['call.completed', 'call.updated', 'call.erased']),
  revision: revisionSchema,
  body: z.instanceof(Uint8Array),
});
