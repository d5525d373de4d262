import { z } from 'zod';
import { fieldResultSchema } from './fields.ts';
import { businessIdSchema, callSidSchema, phoneSchema, revisionSchema } from './identifiers.ts';
import { stageResultsSchema } from './stages.ts';
import { WEBHOOK_SCHEMA_VERSION, webhookInstantSchema } from './webhook-events.ts';

export * from './webhook-attempts.ts';
export * from './webhook-events.ts';

/** Above this many bytes the transcript, then the evidence of fields, is left out of the body. */
export const WEBHOOK_SOFT_LIMIT_BYTES = 256 * 1024;

/** The first eleven keys of the body, in their order. Consumers rely on all of them being present. */
export const WEBHOOK_KEYS = [
  'event_type',
  'timestamp',
  'business_id',
  'call_id',
  'phone',
  'city',
  'service_category',
  'summary',
  'transcript',
  'direction',
  'duration_sec',
] as const;

/**
 * The body of `call.completed` and `call.updated`. `timestamp` is when the CallLog was stored (UTC, whole seconds, `Z`);
 * `phone` is the customer's number; `transcript` is the final transcript, never the live one.
 */
export const webhookBodySchema = z.looseObject({
  event_type: z.enum(['call.completed', 'call.updated']),
  timestamp: webhookInstantSchema,
  business_id: businessIdSchema,
  call_id: callSidSchema,
  phone: phoneSchema.nullable(),
  city: z.string().nullable(),
  service_category: z.string().nullable(),
  summary: z.string().nullable(),
  transcript: z.string().nullable(),
  direction: z.enum(['inbound', 'outbound']),
  duration_sec: z.int().min(0).nullable(),
  status: z.enum(['complete', 'partial']),
  stages: stageResultsSchema,
  fields: z.array(fieldResultSchema),
  revision: revisionSchema,
  schema_version: z.literal(WEBHOOK_SCHEMA_VERSION),
  transcript_omitted: z.looseObject({ reason: z.literal('too_large'), bytes: z.int().min(0) }).optional(),
});
export type WebhookBody = z.infer<typeof webhookBodySchema>;

/** Which CallLog fields a key is built from: each of the eleven, and every first-class field after them. The only source there is (L4). */
export const WEBHOOK_SOURCES = {
  timestamp: ['stored_at'],
  business_id: ['businessId'],
  call_id: ['callSid'],
  phone: ['direction', 'from', 'to'],
  city: ['extracted_city'],
  service_category: ['extracted_service'],
  summary: ['summary'],
  transcript: ['final_transcript'],
  direction: ['direction'],
  duration_sec: ['duration_sec'],
} as const satisfies Record<Exclude<(typeof WEBHOOK_KEYS)[number], 'event_type'>, readonly string[]> &
  Readonly<Record<string, readonly string[]>>;

/** Everything that an endpoint may be told. `call.completed` always, the next two when the business opted in, the last when asked for. */
export const WEBHOOK_EVENTS = ['call.completed', 'call.updated', 'call.erased', 'webhook.test'] as const;
export type WebhookEventType = (typeof WEBHOOK_EVENTS)[number];

/**
 * The id of a webhook: one stable id per event of a call, whatever is retried or replayed (L6). A test is about no call: `nonce`
 * (letters, digits, `_` and `-`, at most 64) makes it one of its own.
 */
export function webhookId(
  event:
    | { readonly type: 'call.completed' | 'call.erased'; readonly callSid: string }
    | { readonly type: 'call.updated'; readonly callSid: string; readonly revision: number }
    | { readonly type: 'webhook.test'; readonly nonce: string },
): string {
  switch (event.type) {
    case 'call.completed':
      return `msg_${event.callSid}_completed`;
    case 'call.updated':
      return `msg_${event.callSid}_updated_r${event.revision}`;
    case 'call.erased':
      return `msg_${event.callSid}_erased`;
    case 'webhook.test':
      return `msg_test_${event.nonce}`;
  }
}
