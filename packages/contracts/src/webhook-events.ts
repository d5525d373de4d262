import { z } from 'zod';
import { businessIdSchema, callSidSchema, revisionSchema } from './identifiers.ts';

/** UTC, whole seconds, `Z`: how every instant of a webhook's body is written. */
export const webhookInstantSchema = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/);

/** The version of the webhook bodies: grows when a key is added, never when one would have to change. */
export const WEBHOOK_SCHEMA_VERSION = 1;

/**
 * The body of `call.erased`, opt-in: the call was forgotten here and should be forgotten by whoever was told of it. `timestamp` is when
 * it was erased; `revision` that of the tombstone. It carries nothing else of the call.
 */
export const webhookErasedSchema = z.looseObject({
  event_type: z.literal('call.erased'),
  timestamp: webhookInstantSchema,
  business_id: businessIdSchema,
  call_id: callSidSchema,
  revision: revisionSchema,
  schema_version: z.literal(WEBHOOK_SCHEMA_VERSION),
});
export type WebhookErased = z.infer<typeof webhookErasedSchema>;

/** The body of `webhook.test`: asked for by a person, about no call. A 2xx shows that the endpoint is there and takes our signature. */
export const webhookTestSchema = z.looseObject({
  event_type: z.literal('webhook.test'),
  timestamp: webhookInstantSchema,
  business_id: businessIdSchema,
  message: z.string(),
  schema_version: z.literal(WEBHOOK_SCHEMA_VERSION),
});
export type WebhookTest = z.infer<typeof webhookTestSchema>;

/** An instant as webhooks write it: the fraction of a second is cut off. */
export function webhookInstant(instant: Date): string {
  return `${instant.toISOString().slice(0, 19)}Z`;
}
