import { FORM_MODES, KEY_HEADERS, TEXT_APIS, type TextModelOptions } from '@pipeline/ai-client';
import { z } from 'zod';
import {
  brokerVariables,
  integerVariable,
  priceVariables,
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
  ...priceVariables,
  ...storeVariables,
  /** The text model's provider: OpenAI or a server that speaks its API. Default OpenAI's own. */
  EXTRACTION_BASE_URL: urlVariable().default('https://api.openai.com/v1'),
  /** The key of that provider. */
  EXTRACTION_API_KEY: secretVariable(),
  /** How the key is shown: `bearer`, or `api-key` as Azure wants it. Default `bearer`. */
  EXTRACTION_KEY_HEADER: z.enum(KEY_HEADERS).default('bearer'),
  /** `responses` (OpenAI, Azure) or `chat`, which every compatible server speaks. Default `responses`. */
  EXTRACTION_API: z.enum(TEXT_APIS).default('responses'),
  /** What holds the answer to its form: `schema`, a server that enforces a JSON Schema; `object`, JSON alone; `prompt`, nothing. Default `schema`. */
  EXTRACTION_FORM: z.enum(FORM_MODES).default('schema'),
  /** The model that extracts. Default `gpt-6-luna`. */
  EXTRACTION_MODEL: z.string().min(1).max(200).default('gpt-6-luna'),
  /** Milliseconds until a request is given up. Default 120 s. */
  EXTRACTION_TIMEOUT_MS: integerVariable({ min: 1_000, max: 600_000, default: 120_000 }),
});

/** The model that is asked, and how. */
export function modelOf(config: z.infer<typeof configSchema>): TextModelOptions {
  return {
    baseUrl: config.EXTRACTION_BASE_URL,
    apiKey: config.EXTRACTION_API_KEY,
    keyHeader: config.EXTRACTION_KEY_HEADER,
    api: config.EXTRACTION_API,
    form: config.EXTRACTION_FORM,
    model: config.EXTRACTION_MODEL,
    timeoutMs: config.EXTRACTION_TIMEOUT_MS,
    maxOutputTokens: 32_000,
  };
}
