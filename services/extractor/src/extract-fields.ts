import type { Answer, Question } from '@pipeline/ai-client';
import type { FieldDefinition, FieldResult, Segment } from '@pipeline/contracts';
import { hasBarred, withoutBarred } from '@pipeline/evidence';
import { countryOf } from './fields/address.ts';
import { judgeAnswer } from './fields/answers.ts';
import { sourcesOf } from './fields/evidence.ts';
import { dayOf } from './fields/moment.ts';
import { extractionQuestion } from './prompt.ts';

export type ExtractionDeps = {
  ask<T>(question: Question<T>, signal: AbortSignal): Promise<Answer<T>>;
  boundaryFor(text: string): string;
  /** Milliseconds since 1970. */
  now(): number;
};

/** A call as its fields are looked for. */
export type SpokenCall = {
  readonly summary: string;
  readonly transcript: string;
  readonly segments: readonly Segment[];
  readonly startedAt: string;
  /** Where the business is, IANA. */
  readonly timezone: string;
  /** Telephone numbers of the business: they tell the country of a number that is said without one. */
  readonly numbers: readonly (string | null)[];
};

/**
 * What the model was paid for: `ms` from the question to the judged answer. `isSuspected`: somebody spoke to the machine, and those
 * words were neither shown to the model nor do they bear anything out.
 */
export type Extraction = {
  readonly fields: readonly FieldResult[];
  readonly usage: Readonly<Record<string, number>>;
  readonly ms: number;
  readonly isSuspected: boolean;
};

/** Asks for all fields at once and keeps of the answer what the call bears out. */
export async function extractFields(
  definitions: readonly FieldDefinition[],
  call: SpokenCall,
  deps: ExtractionDeps,
  signal: AbortSignal,
): Promise<Extraction> {
  const startedAtMs = deps.now();
  const sources = sourcesOf(call);
  const [summary = '', transcript = ''] = sources.map(({ passages, name, original }) =>
    name === 'transcript' || hasBarred(passages) ? withoutBarred(passages) : original,
  );
  const texts = { summary, transcript, startedAt: call.startedAt, timezone: call.timezone };
  const boundary = deps.boundaryFor(`${summary}\n${transcript}`);
  const { value: answers, usage } = await deps.ask(extractionQuestion(definitions, texts, boundary), signal);
  const context = { sources, country: countryOf(call.numbers), today: dayOf(call.startedAt, call.timezone) };
  const fields = definitions.map((field) => judgeAnswer(field, answers.get(field.key), context));
  const isSuspected = sources.some(({ passages }) => hasBarred(passages));
  return { fields, usage, ms: deps.now() - startedAtMs, isSuspected };
}
