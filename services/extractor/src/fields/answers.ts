import { z } from 'zod';
import type { FieldDefinition, FieldResult } from '@pipeline/contracts';
import type { Country } from './address.ts';
import { findEvidence, type Source } from './evidence.ts';
import { readValue } from './value.ts';

const answerSchema = z.object({
  value: z.unknown(),
  status: z.enum(['found', 'not_mentioned', 'ambiguous']),
  quote: z.string().nullable(),
});
type FieldAnswer = z.infer<typeof answerSchema>;

/** What a model answered, by the key of the field. */
export type FieldAnswers = ReadonlyMap<string, FieldAnswer>;

/** Reads a model's answer. Undefined when a field is missing or has not the asked form; keys that nobody asked for are ignored. */
export function readAnswers(json: unknown, fields: readonly FieldDefinition[]): FieldAnswers | undefined {
  if (json === null || typeof json !== 'object') return undefined;
  const given = new Map<string, unknown>(Object.entries(json));
  const answers = new Map<string, FieldAnswer>();
  for (const { key } of fields) {
    const answer = answerSchema.safeParse(given.get(key));
    if (!answer.success) return undefined;
    answers.set(key, answer.data);
  }
  return answers;
}

/**
 * What becomes of a model's answer. A value counts only when it has the type of its field and its quote stands in a text that
 * the field may be quoted from: whatever a model says without that is `invalid`, and its value is gone.
 */
export function judgeAnswer(
  field: FieldDefinition,
  answer: FieldAnswer | undefined,
  sources: readonly Source[],
  country: Country | undefined,
): FieldResult {
  const without = (status: 'not_mentioned' | 'ambiguous' | 'invalid'): FieldResult => {
    return { key: field.key, value: null, status, evidence: null };
  };
  if (answer === undefined) return without('invalid');
  if (answer.status !== 'found') return without(answer.status);
  const judged = readValue(field, answer.value, country);
  if (judged.kind === 'nothing') return without('not_mentioned');
  const evidence = findEvidence(answer.quote ?? '', field.from, sources);
  if (judged.kind === 'invalid' || evidence === null) return without('invalid');
  return { key: field.key, value: judged.value, status: 'found', evidence };
}
