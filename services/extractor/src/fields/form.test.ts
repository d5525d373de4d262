import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FIELD_TYPES, fieldDefinitionSchema, fieldsToExtract, type FieldDefinition } from '@pipeline/contracts';
import { answerForm } from './form.ts';

const key = fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/);
const definition: fc.Arbitrary<FieldDefinition> = fc
  .record({
    key,
    type: fc.constantFrom(...FIELD_TYPES),
    description: fc.string().map((words) => `A ${words.replace(/\p{C}/gu, '')}`),
    options: fc.uniqueArray(key, { minLength: 1 }),
  })
  .map(({ type, options, ...field }) =>
    fieldDefinitionSchema.parse({
      ...field,
      type,
      ...(type === 'enum' ? { options: options.map((value) => ({ value })) } : {}),
      ...(type === 'object' ? { properties: options.slice(0, 20).map((name) => ({ key: name, type: 'string' })) } : {}),
    }),
  );

/** Every object form inside a form. */
function objectsIn(form: unknown): { properties?: unknown; required?: unknown; additionalProperties?: unknown }[] {
  if (form === null || typeof form !== 'object') return [];
  const inside = Object.values(form).flatMap(objectsIn);
  return 'properties' in form ? [form, ...inside] : inside;
}

describe('the form of the answer', () => {
  test('asks for each field of the business, and nothing else', () => {
    const form = answerForm(fieldsToExtract([]));
    expect(form).toMatchObject({ type: 'object', required: ['city', 'service'], additionalProperties: false });
    expect(form['properties']).toMatchObject({
      city: {
        type: 'object',
        required: ['value', 'status', 'quote'],
        properties: {
          value: { type: ['string', 'null'] },
          status: { enum: ['found', 'not_mentioned', 'ambiguous'] },
          quote: { type: ['string', 'null'] },
        },
      },
    });
  });

  test('is strict in every part, whatever the settings: all keys required, no others, all values may be null', () => {
    fc.assert(
      fc.property(fc.uniqueArray(definition, { maxLength: 20, selector: (field) => field.key }), (fields) => {
        const form = answerForm(fields);
        for (const object of objectsIn(form)) {
          expect(object.additionalProperties).toBe(false);
          expect(object.required).toEqual(Object.keys(object.properties ?? {}));
        }
        expect(JSON.stringify(form)).not.toContain('undefined');
      }),
    );
  });

  test('lists the options of an enum with the words that callers use', () => {
    const urgency = fieldDefinitionSchema.parse({
      key: 'urgency',
      type: 'enum',
      description: 'How soon.',
      from: 'both',
      options: [{ value: 'today', synonyms: ['היום', 'now'] }, { value: 'later' }],
    });
    expect(answerForm([urgency])).toMatchObject({
      properties: {
        urgency: {
          description: 'How soon. One of: today (also: היום, now); later. Quote from the summary or the transcript.',
          properties: { value: { type: ['string', 'null'], enum: ['today', 'later', null] } },
        },
      },
    });
  });

  test('leaves options to the description when a provider would refuse so many', () => {
    const many = Array.from({ length: 4 }, (_, index) =>
      fieldDefinitionSchema.parse({
        key: `f${index}`,
        type: 'enum',
        description: 'Many.',
        options: Array.from({ length: 200 }, (_unused, value) => ({ value: `v${value}` })),
      }),
    );
    expect(JSON.stringify(answerForm(many))).not.toContain('"enum":["v0"');
    expect(JSON.stringify(answerForm(many.slice(0, 2)))).toContain('"enum":["v0"');
  });
});
