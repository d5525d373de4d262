import { z } from 'zod';

/** The events of a client. `session` is held against the settings where it is applied. */

const contentSchema = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  transcript: z.string().optional(),
});

/** An item as a client may create it. */
const clientItemSchema = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('message'),
    id: z.string().min(1).max(64).optional(),
    role: z.enum(['user', 'assistant', 'system']),
    content: z.array(contentSchema),
  }),
  z.looseObject({
    type: z.literal('function_call_output'),
    id: z.string().min(1).max(64).optional(),
    call_id: z.string(),
    output: z.string(),
  }),
]);
export type ClientItem = z.infer<typeof clientItemSchema>;

const event = { type: z.string(), event_id: z.string().max(512).optional() };

/** An event that carries nothing but its type. */
export const bareEventSchema = z.strictObject(event);
export const sessionUpdateSchema = z.strictObject({ ...event, session: z.unknown() });
/** At most 15 MiB of audio, as base64. */
export const appendSchema = z.strictObject({ ...event, audio: z.base64().max(20_971_520) });
export const createItemSchema = z.strictObject({
  ...event,
  previous_item_id: z.string().nullish(),
  item: clientItemSchema,
});
/** `audio_end_ms` counts the milliseconds of the item's audio that were heard. */
export const truncateItemSchema = z.strictObject({
  ...event,
  item_id: z.string(),
  content_index: z.literal(0),
  audio_end_ms: z.int().min(0),
});
export type TruncateItem = z.infer<typeof truncateItemSchema>;
/** Deletes or retrieves an item. */
export const namedItemSchema = z.strictObject({ ...event, item_id: z.string() });
export const createResponseSchema = z.strictObject({
  ...event,
  response: z.looseObject({ instructions: z.string().nullish(), metadata: z.unknown().optional() }).optional(),
});
export const cancelResponseSchema = z.strictObject({ ...event, response_id: z.string().optional() });
