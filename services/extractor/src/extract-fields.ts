import type { Answer, Question } from '@pipeline/ai-client';
import { z } from 'zod';
import { fieldResultSchema, type FieldDefinition, type PaidSteps, type Segment } from '@pipeline/contracts';
import { hasBarred, withoutBarred } from '@pipeline/evidence';
import { countryOf } from './fields/address.ts';
import { judgeAnswer } from './fields/answers.ts';
import { sourcesOf } from './fields/evidence.ts';
import { dayOf } from './fields/moment.ts';
import { extractionQuestion } from './prompt.ts';

export type ExtractionDeps = {
  ask<T>(question: Question<T>, paid: PaidSteps, signal: AbortSignal): Promise<Answer<T>>;
  /** What was paid for this message at an earlier delivery. */
  readonly paid: PaidSteps;
  boundaryFor(text: string): string;
  /** Milliseconds since 1970. */
  now(): number;
  readonly model: string;
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
const extractionSchema = z.object({
  fields: z.array(fieldResultSchema),
  usage: z.record(z.string(), z.number()),
  ms: z.number(),
  isSuspected: z.boolean(),
});
export type Extraction = z.infer<typeof extractionSchema>;

/**
 * Asks for all fields at once and keeps of the answer what the call bears out. An extraction that was paid at an earlier delivery and could
 * not be stored is that one, under the settings of then.
 */
export async function extractFields(
  definitions: readonly FieldDefinition[],
  call: SpokenCall,
  deps: ExtractionDeps,
  signal: AbortSignal,
): Promise<Extraction> {
  const paid = deps.paid.within(deps.model);
  const extracting = { ...deps, paid: paid.within('fields') };
  return paid.once('fields', extractionSchema, () => extract(definitions, call, extracting, signal));
}

async function extract(
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
  const { value: answers, usage } = await deps.ask(extractionQuestion(definitions, texts, boundary), deps.paid, signal);
  const context = { sources, country: countryOf(call.numbers), today: dayOf(call.startedAt, call.timezone) };
  const fields: Extraction['fields'] = [];
  for (const field of definitions) {
    // In a call of hours a field may take a tenth of a second; health checks and the broker's deadlines are served between two of them.
    await turnOfEventLoop();
    signal.throwIfAborted();
    fields.push(judgeAnswer(field, answers.get(field.key), context));
  }
  const isSuspected = sources.some(({ passages }) => hasBarred(passages));
  return { fields, usage, ms: deps.now() - startedAtMs, isSuspected };
}

function turnOfEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
