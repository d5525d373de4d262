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

/** Controls and overrides of direction: nobody types them on purpose, and they hide what a text says. */
const HIDDEN = /[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/u;
const visible = (text: z.ZodString) => text.refine((value) => !HIDDEN.test(value), 'holds hidden characters');
/** Words that are looked for in what callers say: without a letter or digit they would be found anywhere. */
const sayable = (text: z.ZodString) =>
  visible(text).refine((value) => /[\p{L}\p{N}]/u.test(value), 'needs a letter or a digit');

/**
 * One value of an enum field. `value` is canonical and what is stored, whatever words the caller used. Of a boolean field the
 * values are `true` and `false`, and the synonyms are words that say so.
 */
const enumOptionSchema = z.strictObject({
  value: visible(z.string().min(1).max(200)),
  synonyms: z
    .array(sayable(z.string().min(1).max(200)))
    .max(50)
    .optional(),
});

/** One property of an object field: a flat value. */
const propertySchema = z.strictObject({
  key: fieldKeySchema,
  type: z.enum(['string', 'integer', 'number', 'boolean']),
  description: visible(z.string().max(500)).optional(),
});

/**
 * A field that a business wants out of its calls: one line in its settings (L8). `description` may be in any language and is
 * what the model reads. `sensitive` keeps even city and service out of logs. `from` says what the value may be quoted from.
 */
export const fieldDefinitionSchema = z
  .strictObject({
    key: fieldKeySchema,
    type: z.enum(FIELD_TYPES),
    description: sayable(z.string().min(1).max(1_000)),
    required: z.boolean().default(false),
    sensitive: z.boolean().default(false),
    from: z.enum(['summary', 'transcript', 'both']).default('summary'),
    options: z.array(enumOptionSchema).min(1).max(200).optional(),
    properties: z.array(propertySchema).min(1).max(20).optional(),
  })
  .refine((field) => field.type === 'boolean' || (field.type === 'enum') === (field.options !== undefined), {
    path: ['options'],
    message: 'an enum field needs options, a boolean field may have them, and no other field',
  })
  .refine((field) => (field.type === 'object') === (field.properties !== undefined), {
    path: ['properties'],
    message: 'an object field needs properties, and no other field may have them',
  })
  .superRefine(({ type, options = [], properties = [] }, context) => {
    const refuse = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    options.forEach(({ value }, at) => {
      const isBoolean = value === 'true' || value === 'false';
      if (type === 'boolean' && !isBoolean) refuse(['options', at, 'value'], 'a boolean is true or false');
    });
    for (const path of repeated(properties.map(({ key }, at) => [key, ['properties', at, 'key']]))) {
      refuse(path, 'another property has the same key');
    }
    for (const path of repeated(optionWords(options))) refuse(path, 'another option has the same word');
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

/**
 * One extracted field as it is stored. `value` is `null` unless `status` is `found`. `suspectedInjection`: a value was offered, and
 * only words stand behind it that speak to the machine instead of about the call.
 */
export const fieldResultSchema = z.looseObject({
  key: fieldKeySchema,
  value: fieldValueSchema,
  status: z.enum(['found', 'not_mentioned', 'ambiguous', 'invalid']),
  evidence: evidenceSchema.nullable(),
  suspectedInjection: z.boolean().optional(),
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

type Placed = readonly [word: string, path: (string | number)[]];

/** Every word of the options of a field, its own value and synonyms; a synonym may repeat the value of its own option. */
function optionWords(options: readonly z.infer<typeof enumOptionSchema>[]): Placed[] {
  return options.flatMap(({ value, synonyms = [] }, at) => {
    const others = synonyms.map((word, index): Placed => [folded(word), ['options', at, 'synonyms', index]]);
    return [[value, ['options', at, 'value']] as const, ...others.filter(([word]) => word !== value)];
  });
}

/** The places of words that stood before. */
function repeated(words: readonly Placed[]): (string | number)[][] {
  const all = words.map(([word]) => word);
  return words.filter(([word], at) => all.indexOf(word) < at).map(([, path]) => path);
}

function folded(word: string): string {
  return word.normalize('NFC').toLowerCase().replace(/\s+/gu, ' ').trim();
}
