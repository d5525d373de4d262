import { z } from 'zod';
import { FAILURE_CODES, type Failure } from './failures.ts';
import { wordSchema } from './identifiers.ts';
import { estimateCostUsd, type PriceTable } from './prices.ts';

/** The stages whose part of a call may fail and is recorded in `stages`. */
export const PART_STAGES = ['transcriber', 'summarizer', 'extractor'] as const;
export type PartStage = (typeof PART_STAGES)[number];

/**
 * How one stage's part went. `model` as configured; `attempts` counts deliveries of the message, from 1; `ms` is the time of
 * the attempt that settled it; `usage` is what the provider counted; `costUsd` an estimate, `null` when no price is known. `code` is
 * one of `FAILURES`, of this release or of another one.
 */
export const stageResultSchema = z.looseObject({
  state: z.enum(['done', 'failed', 'skipped']),
  code: wordSchema.meta({ description: 'Codes are added from time to time.', examples: [...FAILURE_CODES] }).nullable(),
  model: z.string().max(200).nullable(),
  attempts: z.int().min(1),
  ms: z.int().min(0),
  usage: z.record(z.string(), z.number()).nullable(),
  costUsd: z.number().min(0).nullable(),
  /** True when somebody in the call spoke to the machine instead of about the call; those words count for nothing. */
  suspectedInjection: z.boolean().optional(),
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
  /** Prices for the estimate; without them there is none. */
  readonly prices?: PriceTable;
}): StageResult {
  const usage = part.usage === undefined ? null : counted(part.usage);
  return {
    state: 'done',
    code: null,
    model: part.model,
    attempts: part.attempts,
    ms: Math.max(0, Math.round(part.ms)),
    usage,
    costUsd: part.prices === undefined ? null : estimateCostUsd(part.model, usage, part.prices),
  };
}

/**
 * The result of a part that failed or was skipped: its value is `null` and this says why. A part that failed after a model was
 * paid names the model and what it cost.
 */
export function stageNotDone(failure: Failure, attempts: number, prices?: PriceTable): StageResult {
  const { state, code, spent } = failure;
  if (spent === undefined) return { state, code, model: null, attempts, ms: 0, usage: null, costUsd: null };
  const usage = counted(spent.usage);
  const costUsd = prices === undefined ? null : estimateCostUsd(spent.model, usage, prices);
  return { state, code, model: spent.model, attempts, ms: 0, usage, costUsd };
}

function counted(usage: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(usage).filter(([, count]) => Number.isFinite(count)));
}
