import { z } from 'zod';
import {
  brokerVariables,
  integerVariable,
  secretVariable,
  serviceVariables,
  stageVariables,
  storeVariables,
  urlVariable,
} from '@pipeline/runtime';

/** The environment of extractor. */
export const configSchema = z.object({
  ...serviceVariables,
  ...brokerVariables,
  ...stageVariables,
  ...storeVariables,
  /** The text model's provider: OpenAI or a server that speaks its API. Default OpenAI's own. */
  EXTRACTION_BASE_URL: urlVariable().default('https://api.openai.com/v1'),
  /** The key of that provider. */
  EXTRACTION_API_KEY: secretVariable(),
  /** The model that extracts. Default `gpt-6-luna`. */
  EXTRACTION_MODEL: z.string().min(1).max(200).default('gpt-6-luna'),
  /** Milliseconds until a request is given up. Default 120 s. */
  EXTRACTION_TIMEOUT_MS: integerVariable({ min: 1_000, max: 600_000, default: 120_000 }),
});
