import { transcriptLines } from '@pipeline/contracts';
import fc from 'fast-check';
import { z } from 'zod';
import { describe, expect, it } from 'vitest';
import { loadDialogues, loadKeywordRules } from '../../dialogues/load.ts';
import { jsonSchemaSchema, type JsonSchema } from './json-schema.ts';
import { createTextModel } from './text-model.ts';

const dialogues = await loadDialogues();
const model = createTextModel(dialogues, await loadKeywordRules());
const spoken = dialogues.filter((dialogue) => dialogue.turns.length > 0);
const [renovation = spoken[0]!] = spoken.filter(({ id }) => id === 'he-renovation');
const mixed = spoken.find(({ id }) => id === 'he-mixed-directions')!;

const answerSchema = z.strictObject({
  value: z.string().nullable(),
  status: z.enum(['found', 'not_mentioned', 'ambiguous']),
  quote: z.string().nullable(),
});
const SUMMARY = schemaOf(z.strictObject({ summary: z.string() }));
const FIELDS = schemaOf(
  z.strictObject({ fields: z.strictObject({ city: answerSchema, service: answerSchema, budget: answerSchema }) }),
);

describe('the text model', () => {
  it.each(spoken)('knows $id by its transcript and by its summary', (dialogue) => {
    const { summary, fields } = dialogue.answers;
    const byTranscript = answer(`Summarize:\n<transcript>\n${transcriptLines(dialogue.turns)}\n</transcript>`, SUMMARY);
    expect(byTranscript).toEqual({ dialogueId: dialogue.id, value: { summary } });
    expect(answer(`Fields of: ${summary}`, FIELDS)).toEqual({
      dialogueId: dialogue.id,
      value: {
        fields: {
          city: { ...fields['city'], status: 'found' },
          service: { ...fields['service'], status: 'found' },
          budget: { value: null, status: 'not_mentioned', quote: null },
        },
      },
    });
  });

  it('knows a transcript that was escaped as JSON or got direction marks', () => {
    const escaped = JSON.stringify({ transcript: transcriptLines(mixed.turns) });
    expect(answer(escaped, SUMMARY).dialogueId).toBe(mixed.id);
    const marked = transcriptLines(mixed.turns).replaceAll('+972', '\u2066+972').replaceAll('0177', '0177\u2069');
    expect(answer(marked, SUMMARY).dialogueId).toBe(mixed.id);
  });

  it('does not know a transcript that lacks a turn, changes one, or has them in another order', () => {
    const { turns } = renovation;
    const wrong = [
      turns.slice(1),
      turns.toReversed(),
      turns.map((turn, at) => (at === 3 ? { ...turn, text: 'בחולון' } : turn)),
    ];
    for (const changed of wrong) expect(answer(transcriptLines(changed), SUMMARY).dialogueId).toBeNull();
  });

  it('never reads what tests expect', () => {
    const blind = createTextModel(
      dialogues.map((dialogue) => ({ ...dialogue, expect: { city: 'x', service: 'x', fields: { city: 'x' } } })),
      { he: [], en: [] },
    );
    const question = { instructions: '', prompt: renovation.answers.summary ?? '', schema: FIELDS };
    expect(blind.answer(question).text).toContain('תל אביב');
  });

  it('retells an unknown call in the words of its caller, and finds fields by the keyword rules', () => {
    const call = 'agent: Hello\ncaller: I want to paint a house in Denver\ncaller: no hurry';
    expect(answer(call, SUMMARY)).toEqual({
      dialogueId: null,
      value: { summary: 'I want to paint a house in Denver no hurry' },
    });
    expect(answer('caller: I want to paint a house in Denver', FIELDS).value).toEqual({
      fields: {
        city: { value: 'Denver', status: 'found', quote: 'Denver' },
        service: { value: 'painting', status: 'found', quote: 'paint' },
        budget: { value: null, status: 'not_mentioned', quote: null },
      },
    });
  });

  it('finds a field that no dialogue knows by the keyword rules, in the words of the summary', () => {
    const schema = schemaOf(z.strictObject({ property_type: answerSchema }));
    const expected = { property_type: { value: 'apartment', status: 'found', quote: 'דירה' } };
    expect(answer(renovation.answers.summary ?? '', schema).value).toEqual(expected);
  });

  it('fills other shapes of a question: lists of answers, nested evidence, bare values', () => {
    const evidence = z.strictObject({ quote: z.string(), source: z.enum(['transcript', 'summary']) }).nullable();
    const row = z.strictObject({
      key: z.enum(['city', 'floor']),
      value: z.string().nullable(),
      evidence,
      confidence: z.number(),
    });
    const prompt = renovation.answers.summary ?? '';
    expect(answer(prompt, schemaOf(z.strictObject({ fields: z.array(row) }))).value).toEqual({
      fields: [
        { key: 'city', value: 'תל אביב', evidence: { quote: 'תל אביב', source: 'summary' }, confidence: 0.9 },
        { key: 'floor', value: null, evidence: null, confidence: 0 },
      ],
    });
    const bare = schemaOf(
      z.strictObject({ city: z.string(), urgency: z.enum(['today', 'this_week']), rooms: z.int().nullable() }),
    );
    expect(answer(prompt, bare).value).toEqual({ city: 'תל אביב', urgency: 'this_week', rooms: null });
  });

  it('says not mentioned where the schema cannot say the value', () => {
    const schema = schemaOf(
      z.strictObject({ urgency: z.strictObject({ value: z.enum(['low', 'high']).nullable(), status: z.string() }) }),
    );
    expect(answer(renovation.answers.summary ?? '', schema).value).toEqual({
      urgency: { value: null, status: 'not_mentioned' },
    });
  });

  it('answers any schema with JSON that fits it', () => {
    const leaf = fc.constantFrom<z.ZodType>(
      z.string(),
      z.int(),
      z.boolean(),
      z.enum(['a', 'b']),
      z.string().nullable(),
      z.array(z.string()),
    );
    const shape = fc.dictionary(fc.constantFrom('summary', 'city', 'fields', 'value', 'status', 'quote', 'x'), leaf, {
      minKeys: 1,
    });
    const nested = shape.chain((inner) =>
      shape.map((outer) => z.strictObject({ ...outer, deep: z.strictObject(inner).nullable() })),
    );
    fc.assert(
      fc.property(nested, fc.constantFrom(renovation.answers.summary ?? '', 'caller: Denver'), (schema, prompt) => {
        expect(schema.safeParse(answer(prompt, schemaOf(schema)).value).success).toBe(true);
      }),
    );
  });
});

function answer(prompt: string, schema: JsonSchema): { dialogueId: string | null; value: unknown } {
  const { dialogueId, text } = model.answer({ instructions: 'You read calls.', prompt, schema });
  return { dialogueId, value: JSON.parse(text) };
}

function schemaOf(schema: z.ZodType): JsonSchema {
  return jsonSchemaSchema.parse(z.toJSONSchema(schema));
}
