import { z } from 'zod';
import { FAILURE_CODES, type Failure } from './failures.ts';

/** The stages whose part of a call may fail and is recorded in `stages`. */
export const PART_STAGES = ['transcriber', 'summarizer', 'extractor'] as const;
export type PartStage = (typeof PART_STAGES)[number];

/**
 * How one stage's part went. `model` as configured; `attempts` counts deliveries of the message, from 1; `ms` is the time of
 * the attempt that settled it; `usage` is what the provider counted; `costUsd` an estimate, `null` when no price is known.
 */
export const stageResultSchema = z.looseObject({
  state: z.enum(['done', 'failed', 'skipped']),
  code: z.enum(FAILURE_CODES).nullable(),
  model: z.string().max(200).nullable(),
  attempts: z.int().min(1),
  ms: z.int().min(0),
  usage: z.record(z.string(), z.number()).nullable(),
  costUsd: z.number().min(0).nullable(),
});
export type StageResult = z.infer<typeof stageResultSchema>;

/** The results of all part stages; a stage that has not run is absent. */
export const stageResultsSchema = z.looseObject({
  transcriber: stageResultSchema.optional(),
  summarizer: stageResultSchema.optional(),
  extractor: stageResultSchema.optional(),
});
export type StageResults = z.infer<typeof stageResultsSchema>;

/**
 * The result of a part that went well. A clock that was set back makes `ms` 0, and a count that is no number is left out: the
 * next stage would refuse either, and the call would end as a dead letter.
 */
export function stageDone(part: {
  readonly model: string;
  readonly attempts: number;
  readonly ms: number;
  readonly usage?: Readonly<Record<string, number>>;
}): StageResult {
  return {
    state: 'done',
    code: null,
    model: part.model,
    attempts: part.attempts,
    ms: Math.max(0, Math.round(part.ms)),
    usage: part.usage === undefined ? null : counted(part.usage),
    costUsd: null,
  };
}

/** The result of a part that failed or was skipped: its value is `null` and this says why. */
export function stageNotDone(failure: Failure, attempts: number): StageResult {
  return { state: failure.state, code: failure.code, model: null, attempts, ms: 0, usage: null, costUsd: null };
}

function counted(usage: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(usage).filter(([, count]) => Number.isFinite(count)));
}
