import { z } from 'zod';
import {
  brokerVariables,
  integerVariable,
  secretVariable,
  serviceVariables,
  stageVariables,
  urlVariable,
} from '@pipeline/runtime';

/** The environment of summarizer. */
export const configSchema = z.object({
  ...serviceVariables,
  ...brokerVariables,
  ...stageVariables,
  /** The text model's provider: OpenAI or a server that speaks its API. Default OpenAI's own. */
  SUMMARY_BASE_URL: urlVariable().default('https://api.openai.com/v1'),
  /** The key of that provider. */
  SUMMARY_API_KEY: secretVariable(),
  /** The model that summarises. Default `gpt-6-luna`. */
  SUMMARY_MODEL: z.string().min(1).max(200).default('gpt-6-luna'),
  /** Milliseconds until a request is given up. Default 120 s. */
  SUMMARY_TIMEOUT_MS: integerVariable({ min: 1_000, max: 600_000, default: 120_000 }),
});
