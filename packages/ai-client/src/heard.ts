import { z } from 'zod';
import { FAILURE_CODES } from '@pipeline/contracts';
import { jsonOf, type FormMode } from './form.ts';
import type { Question } from './question.ts';
import { countSchema, type Spoken } from './spoken.ts';

const tokens = z.object({ inputTokens: countSchema, outputTokens: countSchema });

/**
 * What is kept of a paid answer until its message is settled: the JSON of one that has the asked form, and of every other one no word,
 * only that it came and what it cost.
 */
export const heardSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('answered'), json: z.json(), tokens }),
  z.object({ kind: z.literal('unusable'), tokens }),
  z.object({ kind: z.literal('failed'), code: z.enum(FAILURE_CODES), tokens }),
]);
export type Heard = z.infer<typeof heardSchema>;

/** What an answer is worth to the question. */
export function heardOf(spoken: Spoken, question: Question<unknown>, form: FormMode): Heard {
  if (spoken.kind === 'failed') return spoken;
  const json = z.json().safeParse(jsonOf(spoken.text, form));
  if (!json.success || question.read(json.data) === undefined) return { kind: 'unusable', tokens: spoken.tokens };
  return { kind: 'answered', json: json.data, tokens: spoken.tokens };
}
