import { z } from 'zod';
import { businessIdSchema, languageSchema, phoneSchema } from './identifiers.ts';
import { fieldDefinitionSchema } from './fields.ts';
import { webhookSecretEntrySchema, type WebhookSecretEntry } from './webhook-secrets.ts';

/** Header names that the signature or the transport owns; a business may not set them. */
const RESERVED_HEADER = /^(host|content-length|content-type|transfer-encoding|connection|webhook-.*)$/i;

const headersSchema = z
  .record(z.string().regex(/^[A-Za-z0-9-]{1,64}$/), z.string().regex(/^[\x20-\x7e]{0,1024}$/))
  .refine((headers) => Object.keys(headers).length <= 20, 'at most 20 headers')
  .refine((headers) => Object.keys(headers).every((name) => !RESERVED_HEADER.test(name)), 'a reserved header');

/** Descriptions, options and synonyms go to the model with every call. */
const MAX_FIELDS_CHARS = 100_000;

const timezoneSchema = z.string().max(64).refine(isTimezone, 'is no IANA time zone');

/** How the summary of this business's calls should read. */
export const summarySettingsSchema = z.strictObject({
  maxSentences: z.int().min(1).max(20).default(3),
  tone: z.enum(['neutral', 'friendly', 'formal']).default('neutral'),
});

/**
 * One business, as `callctl settings set` stores it in `settings.business_settings`. Stages only read it.
 * `inbound_webhook_url` receives calls of both directions (the name is the user's). Retention is in days. The schedule (seconds between
 * attempts), the rate (deliveries a second) and the deliveries in flight at once are the dispatcher's own defaults while `null`.
 */
export const businessSettingsSchema = z
  .strictObject({
    id: businessIdSchema,
    name: z.string().min(1).max(200),
    phone_numbers: z.array(phoneSchema).max(100).default([]),
    language: languageSchema.default('en'),
    /** Where "tomorrow" and "at five" are meant: an IANA zone such as `Asia/Jerusalem`. */
    timezone: timezoneSchema.default('UTC'),
    keywords: z.array(z.string().min(1).max(100)).max(100).default([]),
    agent: z.strictObject({
      instructions: z.string().min(1).max(20_000),
      greeting: z.string().min(1).max(1_000),
      voice: z.string().min(1).max(64).default('marin'),
    }),
    summary: summarySettingsSchema.prefault({}),
    fields: z.array(fieldDefinitionSchema).max(100).default([]),
    inbound_webhook_url: z.string().max(2_048).nullable().default(null),
    webhook_secrets: z.array(webhookSecretEntrySchema).max(3).default([]),
    webhook_headers: headersSchema.default({}),
    webhook_events: z.array(z.enum(['call.updated', 'call.erased'])).default([]),
    webhook_schedule_seconds: z.array(z.int().min(1).max(2_592_000)).min(1).max(24).nullable().default(null),
    webhook_rate_per_second: z.number().min(0.01).max(10_000).nullable().default(null),
    webhook_max_in_flight: z.int().min(1).max(256).nullable().default(null),
    max_concurrent_calls: z.int().min(1).max(10_000).default(50),
    retention_days: z.int().min(1).max(3_650).default(365),
  })
  .superRefine(({ fields }, context) => {
    fields.forEach(({ key }, at) => {
      if (fields.findIndex((field) => field.key === key) === at) return;
      context.addIssue({ code: 'custom', path: ['fields', at, 'key'], message: 'another field has the same key' });
    });
  })
  .refine(({ fields }) => JSON.stringify(fields).length <= MAX_FIELDS_CHARS, {
    path: ['fields'],
    message: `all fields together are longer than the ${MAX_FIELDS_CHARS} characters that a question may hold`,
  })
  .refine((settings) => settings.inbound_webhook_url === null || settings.webhook_secrets.some(staysValid), {
    path: ['webhook_secrets'],
    message: 'a webhook URL needs at least one secret to sign with, and one that does not expire',
  });
export type BusinessSettings = z.infer<typeof businessSettingsSchema>;

/**
 * The part of the settings that travels in `call.ended` as `data.analysis`: as it was when the call ended, copied by whoever
 * publishes and read by transcriber and summarizer, which have no database.
 */
export const analysisSettingsSchema = z.looseObject({
  language: languageSchema,
  keywords: z.array(z.string().max(100)).max(100),
  summary: z.looseObject({ maxSentences: z.int().min(1).max(20), tone: z.string().max(64) }),
});
export type AnalysisSettings = z.infer<typeof analysisSettingsSchema>;

/** Copies what the analysis of a call needs out of the settings of its business. */
export function analysisOf(settings: BusinessSettings): AnalysisSettings {
  return { language: settings.language, keywords: [...settings.keywords], summary: { ...settings.summary } };
}

function staysValid(entry: WebhookSecretEntry): boolean {
  return typeof entry === 'string' || entry.expiresAt === undefined;
}

function isTimezone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
