import type { Answer, Question } from '@pipeline/ai-client';
import type { FieldDefinition, FieldResult } from '@pipeline/contracts';
import { countryOf } from './fields/address.ts';
import { judgeAnswer } from './fields/answers.ts';
import { sourcesOf } from './fields/evidence.ts';
import { extractionQuestion, type CallTexts } from './prompt.ts';

export type ExtractionDeps = {
  ask<T>(question: Question<T>, signal: AbortSignal): Promise<Answer<T>>;
  boundaryFor(text: string): string;
  /** Milliseconds since 1970. */
  now(): number;
};

/** What the model was paid for: `ms` from the question to the judged answer. */
export type Extraction = {
  readonly fields: readonly FieldResult[];
  readonly usage: Readonly<Record<string, number>>;
  readonly ms: number;
};

/**
 * Asks for all fields at once and keeps of the answer what its texts bear out. `numbers` are telephone numbers of the business:
 * they tell the country of a number that is said without one.
 */
export async function extractFields(
  definitions: readonly FieldDefinition[],
  texts: CallTexts,
  numbers: readonly (string | null)[],
  deps: ExtractionDeps,
  signal: AbortSignal,
): Promise<Extraction> {
  const startedAtMs = deps.now();
  const boundary = deps.boundaryFor(`${texts.summary}\n${texts.transcript}`);
  const { value: answers, usage } = await deps.ask(extractionQuestion(definitions, texts, boundary), signal);
  const sources = sourcesOf(texts);
  const country = countryOf(numbers);
  const fields = definitions.map((field) => judgeAnswer(field, answers.get(field.key), sources, country));
  return { fields, usage, ms: deps.now() - startedAtMs };
}
