import { FORM_MODES, KEY_HEADERS, TEXT_APIS, type TextModelOptions } from '@pipeline/ai-client';
import { z } from 'zod';
import {
  brokerVariables,
  integerVariable,
  priceVariables,
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
  ...priceVariables,
  /** The text model's provider: OpenAI or a server that speaks its API. Default OpenAI's own. */
  SUMMARY_BASE_URL: urlVariable().default('https://api.openai.com/v1'),
  /** The key of that provider. */
  SUMMARY_API_KEY: secretVariable(),
  /** How the key is shown: `bearer`, or `api-key` as Azure wants it. Default `bearer`. */
  SUMMARY_KEY_HEADER: z.enum(KEY_HEADERS).default('bearer'),
  /** `responses` (OpenAI, Azure) or `chat`, which every compatible server speaks. Default `responses`. */
  SUMMARY_API: z.enum(TEXT_APIS).default('responses'),
  /** What holds the answer to its form: `schema`, a server that enforces a JSON Schema; `object`, JSON alone; `prompt`, nothing. Default `schema`. */
  SUMMARY_FORM: z.enum(FORM_MODES).default('schema'),
  /** The model that summarises. Default `gpt-6-luna`. */
  SUMMARY_MODEL: z.string().min(1).max(200).default('gpt-6-luna'),
  /** Milliseconds until a request is given up. Default 120 s. */
  SUMMARY_TIMEOUT_MS: integerVariable({ min: 1_000, max: 600_000, default: 120_000 }),
});

/** The model that is asked, and how. */
export function modelOf(config: z.infer<typeof configSchema>): TextModelOptions {
  return {
    baseUrl: config.SUMMARY_BASE_URL,
    apiKey: config.SUMMARY_API_KEY,
    keyHeader: config.SUMMARY_KEY_HEADER,
    api: config.SUMMARY_API,
    form: config.SUMMARY_FORM,
    model: config.SUMMARY_MODEL,
    timeoutMs: config.SUMMARY_TIMEOUT_MS,
    maxOutputTokens: 8_000,
  };
}
