import { z } from 'zod';
import { priceTableSchema } from '@pipeline/contracts';

/** What an operator knows of the prices of models. */
export const priceVariables = {
  /**
   * JSON: `{"asOf": "2026-11-25", "models": {"my-model": {"usdPerMillionInputTokens": 0.2, "usdPerMillionOutputTokens": 0.8}}}`, or
   * `usdPerAudioMinute` for speech. Stands before the prices that are known. Default none of its own.
   */
  MODEL_PRICES: z
    .string()
    .max(100_000)
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: 'must be JSON' });
        return z.NEVER;
      }
    })
    .pipe(priceTableSchema)
    .optional(),
} as const;
