import { describe, expect, test } from 'vitest';
import { estimateCostUsd, KNOWN_PRICES, pricesWith, priceTableSchema, type PriceTable } from './prices.ts';

const table: PriceTable = {
  asOf: '2026-11-01',
  models: {
    text: { usdPerMillionInputTokens: 2, usdPerMillionOutputTokens: 10 },
    speech: { usdPerAudioMinute: 0.006 },
    'input-only': { usdPerMillionInputTokens: 1 },
  },
};

describe('the estimated cost of a part', () => {
  test.each([
    ['text', { inputTokens: 1_000_000, outputTokens: 100_000 }, 3],
    ['text', { inputTokens: 1, outputTokens: 0 }, 0.000002],
    ['text-2026-09-01', { inputTokens: 1_000_000, outputTokens: 0 }, 2],
    ['input-only', { inputTokens: 500_000, outputTokens: 9 }, 0.5],
    ['speech', { audioSeconds: 90 }, 0.009],
    ['speech', { audioSeconds: 60, inputTokens: 9e9, outputTokens: 9e9 }, 0.006],
  ])('of %s for %j is %d', (model, usage, cost) => {
    expect(estimateCostUsd(model, usage, table)).toBe(cost);
  });

  test.each([
    ['a model without a price', 'other', { inputTokens: 1, outputTokens: 1 }],
    ['a name of every object', 'constructor', { inputTokens: 1, outputTokens: 1 }],
    ['a provider that counts nothing', 'text', {}],
    ['half a count', 'text', { inputTokens: 1 }],
    ['no usage at all', 'text', null],
    ['B72 a negative count', 'text', { inputTokens: -1, outputTokens: 1 }],
    ['B72 a count that is no number', 'speech', { audioSeconds: Number.NaN }],
  ])('is null, not nothing, for %s', (_name, model, usage) => {
    expect(estimateCostUsd(model, usage, table)).toBeNull();
  });
});

test('the known prices are a table of their own schema, and a price without a unit is refused', () => {
  expect(priceTableSchema.safeParse(KNOWN_PRICES).success).toBe(true);
  expect(priceTableSchema.safeParse({ asOf: '2026-11-01', models: { x: {} } }).success).toBe(false);
});

test('prices of an operator stand before the known ones, and keep the others', () => {
  const own = pricesWith({ asOf: '2026-11-20', models: { 'gpt-6-luna': { usdPerMillionInputTokens: 9 } } });
  expect(own.asOf).toBe('2026-11-20');
  expect(estimateCostUsd('gpt-6-luna', { inputTokens: 1_000_000, outputTokens: 5 }, own)).toBe(9);
  expect(estimateCostUsd('gpt-transcribe', { audioSeconds: 60 }, own)).toBe(0.0045);
  expect(pricesWith(undefined)).toBe(KNOWN_PRICES);
});
