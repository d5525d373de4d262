import { z } from 'zod';

const usd = z.number().min(0).max(1_000_000);

/** What a model costs, in US dollars: by a million tokens, by a minute of audio, or both. */
export const modelPriceSchema = z
  .strictObject({
    usdPerMillionInputTokens: usd.optional(),
    usdPerMillionOutputTokens: usd.optional(),
    usdPerAudioMinute: usd.optional(),
  })
  .refine((price) => Object.keys(price).length > 0, 'a price needs at least one unit');
export type ModelPrice = z.infer<typeof modelPriceSchema>;

/** Prices of models by name, as they stood on a day. */
export const priceTableSchema = z.strictObject({
  asOf: z.iso.date(),
  models: z
    .record(z.string().min(1).max(200), modelPriceSchema)
    .refine((models) => Object.keys(models).length <= 500, 'at most 500 models'),
});
export type PriceTable = z.infer<typeof priceTableSchema>;

/**
 * Prices that we know of. Nobody has checked them against a bill: they make an estimate, and an operator who knows better says so
 * with `MODEL_PRICES`. A model that is not here has no estimate.
 */
export const KNOWN_PRICES: PriceTable = {
  asOf: '2026-11-01',
  models: {
    'gpt-transcribe': { usdPerAudioMinute: 0.0045 },
    'gpt-live-transcribe': { usdPerAudioMinute: 0.017 },
    'gpt-6-luna': { usdPerMillionInputTokens: 0.1, usdPerMillionOutputTokens: 0.5 },
  },
};

/** The known prices with an operator's own before them. */
export function pricesWith(own: PriceTable | undefined): PriceTable {
  if (own === undefined) return KNOWN_PRICES;
  return { asOf: own.asOf, models: { ...KNOWN_PRICES.models, ...own.models } };
}

/** A dated release costs what its model costs: `gpt-6-luna-2026-09-01`. */
const DATED = /-\d{4}-\d{2}-\d{2}$/;

/**
 * What the usage of one part of a call costs, an estimate in US dollars to the millionth; `null` when the table has no price for
 * the model or the provider did not count what the price is for. Audio has its own price where the table has one.
 */
export function estimateCostUsd(
  model: string,
  usage: Readonly<Record<string, number>> | null,
  prices: PriceTable,
): number | null {
  const price = priceOf(model, prices);
  if (price === undefined || usage === null) return null;
  const cost = price.usdPerAudioMinute === undefined ? costOfTokens(price, usage) : costOfAudio(price, usage);
  return cost === null || !Number.isFinite(cost) ? null : Math.round(cost * 1_000_000) / 1_000_000;
}

function priceOf(model: string, { models }: PriceTable): ModelPrice | undefined {
  const own = [model, model.replace(DATED, '')].find((name) => Object.hasOwn(models, name));
  return own === undefined ? undefined : models[own];
}

function costOfAudio(price: ModelPrice, usage: Readonly<Record<string, number>>): number | null {
  const seconds = counted(usage['audioSeconds']);
  return seconds === null || price.usdPerAudioMinute === undefined ? null : (seconds / 60) * price.usdPerAudioMinute;
}

function costOfTokens(price: ModelPrice, usage: Readonly<Record<string, number>>): number | null {
  const input = counted(usage['inputTokens']);
  const output = counted(usage['outputTokens']);
  if (input === null || output === null) return null;
  const perInput = price.usdPerMillionInputTokens ?? 0;
  return (input * perInput + output * (price.usdPerMillionOutputTokens ?? 0)) / 1_000_000;
}

function counted(count: number | undefined): number | null {
  return count === undefined || !Number.isFinite(count) || count < 0 ? null : count;
}
