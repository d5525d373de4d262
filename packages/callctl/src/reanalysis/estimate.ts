import { estimateCostUsd, type CallLog, type PriceTable, type StageResult } from '@pipeline/contracts';
import type { Start } from './event.ts';

/** What working calls again will cost, if they take what they took before. `unknown` calls have no cost that is known. */
export type Estimate = {
  readonly calls: number;
  readonly costUsd: number;
  readonly unknown: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
};

export const NOTHING: Estimate = { calls: 0, costUsd: 0, unknown: 0, inputTokens: 0, outputTokens: 0 };

/** Adds one call to an estimate: the parts that are made again, as they were paid for last time. Asks nobody. */
export function withCall(sum: Estimate, callLog: CallLog, from: Start, prices: PriceTable): Estimate {
  const { summarizer, extractor } = callLog.stages;
  const parts = from === 'transcribed' ? [summarizer, extractor] : [extractor];
  const costs = parts.map((part) => costOf(part, prices));
  const isKnown = costs.every((cost) => cost !== null);
  const cost = costs.reduce<number>((total, one) => total + (one ?? 0), 0);
  const tokens = (unit: string): number => parts.reduce((total, part) => total + (part?.usage?.[unit] ?? 0), 0);
  return {
    calls: sum.calls + 1,
    costUsd: isKnown ? round(sum.costUsd + cost) : sum.costUsd,
    unknown: sum.unknown + (isKnown ? 0 : 1),
    inputTokens: sum.inputTokens + tokens('inputTokens'),
    outputTokens: sum.outputTokens + tokens('outputTokens'),
  };
}

/** Prices of today before the estimate of then. A part that never ran, or failed unpaid, says nothing about what it will cost. */
function costOf(part: StageResult | undefined, prices: PriceTable): number | null {
  if (part === undefined || part.model === null) return null;
  return estimateCostUsd(part.model, part.usage, prices) ?? part.costUsd;
}

function round(usd: number): number {
  return Math.round(usd * 1_000_000) / 1_000_000;
}
