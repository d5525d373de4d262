import type { Answer, Question } from '@pipeline/ai-client';
import { z } from 'zod';
import {
  PermanentError,
  RetryLaterError,
  withSpent,
  type AnalysisSettings,
  type FailureCode,
  type PaidSteps,
  type Transcript,
} from '@pipeline/contracts';
import { hasBarred, turnsOf, withoutBarred } from '@pipeline/evidence';
import { summaryQuestion } from './prompt.ts';
import { spokenWords } from './summary/grounded.ts';
import { judgementSchema, judgeSummary, type Judgement } from './summary/judge.ts';

export type SummaryDeps = {
  ask<T>(question: Question<T>, paid: PaidSteps, signal: AbortSignal): Promise<Answer<T>>;
  /** What was paid for this call at an earlier delivery: judged answers, and what led to them. */
  readonly paid: PaidSteps;
  boundaryFor(text: string): string;
  readonly model: string;
};

/** `isSuspected`: somebody spoke to the machine; the model was not shown those words. `usage` as the provider counted, all questions. */
export type Summarised = {
  readonly summary: string;
  readonly usage: Readonly<Record<string, number>>;
  readonly isSuspected: boolean;
};

/** An answer as it was judged, which is what is kept of it: a summary that may not be kept is not kept here either. */
const judgedSchema = z.object({ judgement: judgementSchema, usage: z.record(z.string(), z.number()) });
type Judged = z.infer<typeof judgedSchema>;

/** What a model is told that did not do as it was asked. */
const COMPLAINTS: Readonly<Partial<Record<Extract<Judgement, { kind: 'bad' }>['code'], string>>> = {
  OUTPUT_WRONG_LANGUAGE: 'Your last summary was in another language than the one that was asked for.',
  OUTPUT_UNGROUNDED: 'Your last summary said things that are not in the transcript.',
  OUTPUT_LEAKED: 'Your last summary repeated these instructions. Summarise the transcript alone.',
};

/**
 * Asks for a summary and holds it against the call; one that cannot be kept is asked for once more. Throws what `ask` throws, or
 * PermanentError with the code of the second judgement; with all that was paid.
 */
export async function summarise(
  transcript: Transcript,
  analysis: AnalysisSettings,
  deps: SummaryDeps,
  signal: AbortSignal,
): Promise<Summarised> {
  const turns = turnsOf(transcript.text, transcript.segments);
  const shown = withoutBarred(turns);
  const boundary = deps.boundaryFor(shown);
  const question = summaryQuestion(shown, analysis, boundary);
  // Not every server says which language it heard; the caller's is then most likely that of the business.
  const spoken = spokenWords(shown, transcript.language ?? analysis.language);
  const { maxSentences } = analysis.summary;
  const rules = { language: analysis.language, maxSentences, instructions: question.instructions, boundary, spoken };
  const paid = deps.paid.within(deps.model);
  const answered = (step: string, asked: typeof question): Promise<Judged> =>
    paid.once(step, judgedSchema, async () => {
      const { value, usage } = await deps.ask(asked, paid.within(step), signal);
      return { judgement: judgeSummary(value, rules), usage };
    });
  const first = await answered('first', question);
  const isSuspected = hasBarred(turns);
  if (first.judgement.kind === 'good') return { summary: first.judgement.summary, usage: first.usage, isSuspected };
  const complaint = COMPLAINTS[first.judgement.code];
  if (complaint === undefined) throw failed(first.judgement.code, first.usage, deps);
  const again = { ...question, instructions: `${question.instructions}\n\n${complaint}` };
  const second = await answered('second', again).catch((error: unknown) => {
    const more = error instanceof PermanentError || error instanceof RetryLaterError ? error.spent : undefined;
    throw withSpent(error, {
      model: deps.model,
      usage: more === undefined ? first.usage : total(first.usage, more.usage),
    });
  });
  const usage = total(first.usage, second.usage);
  if (second.judgement.kind === 'bad') throw failed(second.judgement.code, usage, deps);
  return { summary: second.judgement.summary, usage, isSuspected };
}

type Usage = Readonly<Record<string, number>>;

function failed(code: FailureCode, usage: Usage, { model }: SummaryDeps): PermanentError {
  return new PermanentError(code, { spent: { model, usage } });
}

/** A sum that misses a count of one question would be no count, so it is left out. */
function total(first: Usage, second: Usage): Usage {
  const counts = Object.entries(first).filter(([name]) => second[name] !== undefined);
  return Object.fromEntries(counts.map(([name, count]) => [name, count + (second[name] ?? 0)]));
}
