import { z } from 'zod';
import type { FailureCode } from '@pipeline/contracts';

/** Tokens as the server counted them; without a count there is no number, which is not the same as none. */
export type Tokens = { readonly inputTokens?: number | undefined; readonly outputTokens?: number | undefined };

/** One answer of a model: what it said, or why its part failed. Both were paid. */
export type Spoken =
  | { readonly kind: 'said'; readonly text: string; readonly tokens: Tokens }
  | { readonly kind: 'failed'; readonly code: FailureCode; readonly tokens: Tokens };

/** A count of a server that nobody has checked. */
export const countSchema = z.int().min(0).optional().catch(undefined);

/** The counts that are there. */
export function tokensOf(input: number | undefined, output: number | undefined): Tokens {
  return {
    ...(input === undefined ? {} : { inputTokens: input }),
    ...(output === undefined ? {} : { outputTokens: output }),
  };
}
