import { z } from 'zod';
import { businessIdSchema, languageSchema, phoneSchema } from './identifiers.ts';
import { fieldDefinitionSchema } from './fields.ts';
import { secretEntrySchemaOf, webhookSecretSchema, type WebhookSecretEntry } from './webhook-secrets.ts';

/** Header names that the signature or the transport owns; a business may not set them. */
const RESERVED_HEADER = /^(host|content-length|content-type|transfer-encoding|connection|webhook-.*)$/i;

/** The value of one static header: printable ASCII, at most 1,024 characters. */
export const headerValueSchema = z.string().regex(/^[\x20-\x7e]{0,1024}$/);

/** Descriptions, options and synonyms go to the model with every call. */
const MAX_FIELDS_CHARS = 100_000;

const timezoneSchema = z.string().max(64).refine(isTimezone, 'is no IANA time zone');

/** How the summary of this business's calls should read. */
export const summarySettingsSchema = z.strictObject({
  maxSentences: z.int().min(1).max(20).default(3),
  tone: z.enum(['neutral', 'friendly', 'formal']).default('neutral'),
});

const fieldsSchema = z
  .array(fieldDefinitionSchema)
  .max(100)
  .superRefine((fields, context) => {
    fields.forEach(({ key }, at) => {
      if (fields.findIndex((field) => field.key === key) === at) return;
      context.addIssue({ code: 'custom', path: [at, 'key'], message: 'another field has the same key' });
    });
  })
  .refine((fields) => JSON.stringify(fields).length <= MAX_FIELDS_CHARS, {
    message: `all fields together are longer than the ${MAX_FIELDS_CHARS} characters that a question may hold`,
  });

/** What every stage may read. */
const visibleShape = {
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
  fields: fieldsSchema.default([]),
  inbound_webhook_url: z.string().max(2_048).nullable().default(null),
  webhook_events: z.array(z.enum(['call.updated', 'call.erased'])).default([]),
  webhook_schedule_seconds: z.array(z.int().min(1).max(2_592_000)).min(1).max(24).nullable().default(null),
  webhook_rate_per_second: z.number().min(0.01).max(10_000).nullable().default(null),
  webhook_max_in_flight: z.int().min(1).max(256).nullable().default(null),
  max_concurrent_calls: z.int().min(1).max(10_000).default(50),
  retention_days: z.int().min(1).max(3_650).default(365),
};

/** The settings of a business with secrets and values of headers of a given form: as they are, or sealed for the database. */
export function settingsSchemaWith(secret: z.ZodType<string>, header: z.ZodType<string>) {
  const headers = z
    .record(z.string().regex(/^[A-Za-z0-9-]{1,64}$/), header)
    .refine((all) => Object.keys(all).length <= 20, 'at most 20 headers')
    .refine((all) => Object.keys(all).every((name) => !RESERVED_HEADER.test(name)), 'a reserved header');
  return z
    .strictObject({
      ...visibleShape,
      webhook_secrets: z.array(secretEntrySchemaOf(secret)).max(3).default([]),
      webhook_headers: headers.default({}),
    })
    .refine((settings) => settings.inbound_webhook_url === null || settings.webhook_secrets.some(staysValid), {
      path: ['webhook_secrets'],
      message: 'a webhook URL needs at least one secret to sign with, and one that does not expire',
    });
}

/**
 * One business, as an operator writes it for `callctl settings set`. `inbound_webhook_url` receives calls of both directions (the
 * name is the user's). Retention is in days. The schedule (seconds between attempts), the rate (deliveries a second) and the
 * deliveries in flight at once are the dispatcher's own defaults while `null`.
 */
export const businessSettingsSchema = settingsSchemaWith(webhookSecretSchema, headerValueSchema);
/** Settings with their secrets: what `callctl` is given, and what webhook-dispatcher signs with. */
export type FullSettings = z.infer<typeof businessSettingsSchema>;

/** The settings of a business without its secrets: what every stage may read. */
export const visibleSettingsSchema = z.strictObject(visibleShape);
export type BusinessSettings = z.infer<typeof visibleSettingsSchema>;

/** The keys that only {@link FullSettings} has. */
export const SECRET_SETTINGS = ['webhook_secrets', 'webhook_headers'] as const;

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
