import { z } from 'zod';
import { fieldKeySchema } from './identifiers.ts';

export const FIELD_TYPES = [
  'string',
  'text',
  'integer',
  'number',
  'boolean',
  'enum',
  'date',
  'time',
  'phone',
  'email',
  'list',
  'object',
] as const;
export type FieldType = (typeof FIELD_TYPES)[number];

/** One value of an enum field. `value` is canonical and what is stored, whatever words the caller used. */
const enumOptionSchema = z.strictObject({
  value: z.string().min(1).max(200),
  synonyms: z.array(z.string().min(1).max(200)).max(50).optional(),
});

/** One property of an object field: a flat value. */
const propertySchema = z.strictObject({
  key: fieldKeySchema,
  type: z.enum(['string', 'integer', 'number', 'boolean']),
  description: z.string().max(500).optional(),
});

/**
 * A field that a business wants out of its calls: one line in its settings (L8). `description` may be in any language and is
 * what the model reads. `sensitive` keeps even city and service out of logs. `from` says what the value may be quoted from.
 */
export const fieldDefinitionSchema = z
  .strictObject({
    key: fieldKeySchema,
    type: z.enum(FIELD_TYPES),
    description: z.string().min(1).max(1_000),
    required: z.boolean().default(false),
    sensitive: z.boolean().default(false),
    from: z.enum(['summary', 'transcript', 'both']).default('summary'),
    options: z.array(enumOptionSchema).min(1).max(200).optional(),
    properties: z.array(propertySchema).min(1).max(20).optional(),
  })
  .refine((field) => (field.type === 'enum') === (field.options !== undefined), {
    path: ['options'],
    message: 'an enum field needs options, and no other field may have them',
  })
  .refine((field) => (field.type === 'object') === (field.properties !== undefined), {
    path: ['properties'],
    message: 'an object field needs properties, and no other field may have them',
  });
export type FieldDefinition = z.infer<typeof fieldDefinitionSchema>;

/** Any value that a field may take: JSON, bounded by the validation of its type. */
export const fieldValueSchema = z.json();
export type FieldValue = z.infer<typeof fieldValueSchema>;

/** Where a value comes from: the quote and its place (UTF-16 code units) in the summary or the transcript. */
export const evidenceSchema = z.looseObject({
  quote: z.string().max(2_000),
  source: z.enum(['summary', 'transcript']),
  start: z.int().min(0).nullable(),
});

/** One extracted field as it is stored. `value` is `null` unless `status` is `found`. */
export const fieldResultSchema = z.looseObject({
  key: fieldKeySchema,
  value: fieldValueSchema,
  status: z.enum(['found', 'not_mentioned', 'ambiguous', 'invalid']),
  evidence: evidenceSchema.nullable(),
});
export type FieldResult = z.infer<typeof fieldResultSchema>;

/**
 * The two fields that every business has. Settings may define them again (an enum of services, say); the key decides.
 * Their values become `extracted_city` and `extracted_service`.
 */
export const CITY_FIELD: FieldDefinition = {
  key: 'city',
  type: 'string',
  description: 'The city or town where the service is wanted.',
  required: true,
  sensitive: false,
  from: 'summary',
};
export const SERVICE_FIELD: FieldDefinition = {
  key: 'service',
  type: 'string',
  description: 'The kind of service that the caller wants.',
  required: true,
  sensitive: false,
  from: 'summary',
};

/** The fields to extract for a business: city and service first, as its settings define them, then the others. */
export function fieldsToExtract(configured: readonly FieldDefinition[]): FieldDefinition[] {
  const city = configured.find((field) => field.key === CITY_FIELD.key) ?? CITY_FIELD;
  const service = configured.find((field) => field.key === SERVICE_FIELD.key) ?? SERVICE_FIELD;
  const others = configured.filter((field) => field.key !== CITY_FIELD.key && field.key !== SERVICE_FIELD.key);
  return [city, service, ...others];
}
