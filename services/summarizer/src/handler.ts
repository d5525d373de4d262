import type { Answer, Question } from '@pipeline/ai-client';
import {
  eventId,
  PermanentError,
  stageDone,
  stageNotDone,
  type CallSummarized,
  type CallTranscribed,
  type Failure,
  type OutboundEvent,
  type PaidSteps,
  type PriceTable,
  type Received,
  type StageResult,
} from '@pipeline/contracts';
import { summarise } from './summarise.ts';

export type SummarizerDeps = {
  /** Asks the text model. */
  ask<T>(question: Question<T>, paid: PaidSteps, signal: AbortSignal): Promise<Answer<T>>;
  /** What was paid for this message at an earlier delivery. */
  readonly paid: PaidSteps;
  /** A new mark around the transcript that its text does not contain. */
  boundaryFor(text: string): string;
  /** Milliseconds since 1970. */
  now(): number;
  readonly model: string;
  readonly prices: PriceTable;
};

/** Summarises a transcribed call in the language of the business. */
export async function handle(
  event: Received<CallTranscribed>,
  deps: SummarizerDeps,
  signal: AbortSignal,
): Promise<OutboundEvent[]> {
  const { transcript, analysis } = event.data;
  const { model, prices } = deps;
  if (transcript === null || transcript.text === '') throw new PermanentError('NO_TRANSCRIPT');
  const startedAtMs = deps.now();
  const { summary, usage, isSuspected } = await summarise(transcript, analysis, deps, signal);
  const ms = deps.now() - startedAtMs;
  const done = stageDone({ model, attempts: event.attempt, ms, usage, prices });
  const result = isSuspected ? { ...done, suspectedInjection: true } : done;
  return [summarized(event, summary, result, deps.now())];
}

/** Hands on a call without a summary, and why. */
export async function handOn(
  event: Received<CallTranscribed>,
  failure: Failure,
  deps: Pick<SummarizerDeps, 'now' | 'prices'>,
  _signal: AbortSignal,
): Promise<OutboundEvent[]> {
  return [summarized(event, null, stageNotDone(failure, event.attempt, deps.prices), deps.now())];
}

function summarized(
  { attempt: _attempt, ...event }: Received<CallTranscribed>,
  summary: string | null,
  result: StageResult,
  nowMs: number,
): CallSummarized {
  return {
    ...event,
    type: 'call.summarized',
    id: eventId(event.callSid, 'summarizer', event.revision),
    occurredAt: new Date(nowMs).toISOString(),
    data: { ...event.data, summary, stages: { ...event.data.stages, summarizer: result } },
  };
}
