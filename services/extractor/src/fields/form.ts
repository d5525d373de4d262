import type { FieldDefinition } from '@pipeline/contracts';

type JsonSchema = Readonly<Record<string, unknown>>;

/** Providers take about 1,000 enum values in one schema; above this the options stand in the description alone. */
const MAX_ENUM_VALUES = 500;

/** The JSON Schema of the answer for a business's fields: for each key a value or null, a status, and the words that say so. */
export function answerForm(fields: readonly FieldDefinition[]): JsonSchema {
  const count = fields.reduce((sum, { options = [] }) => sum + options.length, 0);
  return strictObject(fields.map((field) => [field.key, fieldForm(field, count <= MAX_ENUM_VALUES)]));
}

function fieldForm(field: FieldDefinition, withOptions: boolean): JsonSchema {
  return {
    description: describeField(field),
    ...strictObject([
      ['value', valueForm(field, withOptions)],
      ['status', { type: 'string', enum: ['found', 'not_mentioned', 'ambiguous'] }],
      ['quote', { type: ['string', 'null'] }],
    ]),
  };
}

function valueForm(field: FieldDefinition, withOptions: boolean): JsonSchema {
  switch (field.type) {
    case 'integer':
    case 'number':
    case 'boolean':
      return { type: [field.type, 'null'] };
    case 'enum':
      if (!withOptions) return { type: ['string', 'null'] };
      return { type: ['string', 'null'], enum: [...(field.options ?? []).map(({ value }) => value), null] };
    case 'list':
      return { type: ['array', 'null'], items: { type: 'string' } };
    case 'object': {
      const properties = (field.properties ?? []).map(({ key, type, description = key }) => {
        return [key, { type: [type, 'null'], description }] as const;
      });
      return { ...strictObject(properties), type: ['object', 'null'] };
    }
    case 'string':
    case 'text':
    case 'date':
    case 'time':
    case 'phone':
    case 'email':
      return { type: ['string', 'null'] };
  }
}

function describeField({ type, description, options = [], from }: FieldDefinition): string {
  const form = FORMS[type];
  const choices = options.map(({ value, synonyms = [] }) => {
    return synonyms.length === 0 ? value : `${value} (also: ${synonyms.join(', ')})`;
  });
  return [
    description,
    form === undefined ? '' : `Write ${form}.`,
    choices.length === 0 ? '' : `One of: ${choices.join('; ')}.`,
    `Quote from the ${from === 'both' ? 'summary or the transcript' : from}.`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

const FORMS: Readonly<Partial<Record<FieldDefinition['type'], string>>> = {
  date: 'a date as YYYY-MM-DD',
  time: 'a time of day as HH:MM in 24 hours',
  phone: 'a telephone number as it was said',
  email: 'an e-mail address',
};

function strictObject(properties: readonly (readonly [key: string, form: JsonSchema])[]): JsonSchema {
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    required: properties.map(([key]) => key),
    additionalProperties: false,
  };
}
