import { KEY_HEADERS } from '@pipeline/ai-client';
import { z } from 'zod';
import {
  brokerVariables,
  integerVariable,
  priceVariables,
  recordingVariables,
  secretVariable,
  serviceVariables,
  stageVariables,
  urlVariable,
} from '@pipeline/runtime';
import type { SpeechToTextOptions } from './adapters/openai.ts';
import { HINT_MODES } from './adapters/speech-hints.ts';
import type { TwilioOptions } from './adapters/twilio.ts';
import type { TranscriberDeps } from './handler.ts';
import { requestsAtOnce } from './recording/windows.ts';

/** The environment of transcriber. */
export const configSchema = z.object({
  ...serviceVariables,
  ...brokerVariables,
  ...stageVariables,
  ...priceVariables,
  ...recordingVariables,
  /** Where recordings are looked up and downloaded. Default Twilio's own. */
  TWILIO_BASE_URL: urlVariable().default('https://api.twilio.com'),
  /** The account that the calls belong to. */
  TWILIO_ACCOUNT_SID: z.string().regex(/^AC[0-9a-f]{32}$/, 'must be AC and 32 hexadecimal digits'),
  /** An API key of that account that may read recordings. */
  TWILIO_API_KEY_SID: z.string().regex(/^SK[0-9a-f]{32}$/, 'must be SK and 32 hexadecimal digits'),
  /** The secret of that API key. */
  TWILIO_API_KEY_SECRET: secretVariable(),
  /** Bytes of audio that one call may bring, and that its temporary file may take. Default 512 MiB. */
  MAX_AUDIO_BYTES: integerVariable({ min: 1_048_576, max: 2_147_418_112, default: 536_870_912 }),
  /** Who is on the left and on the right channel of a recording. Default `caller,agent`. */
  CHANNEL_MAP: z
    .enum(['caller,agent', 'agent,caller'])
    .default('caller,agent')
    .transform((map) => (map === 'caller,agent' ? (['caller', 'agent'] as const) : (['agent', 'caller'] as const))),
  /**
   * How much one request carries. `segments` (default): one stretch of speech, so that every line has its time and its place in the
   * conversation. `channels`: as much of one speaker as a request may hold, which costs least; a line is then as long as its request.
   */
  TRANSCRIPTION_MODE: z.enum(['segments', 'channels']).default('segments'),
  /** Letters and digits that people say in a second at most: more text than that was not said. Default 40. */
  MAX_SPOKEN_CHARS_PER_SEC: integerVariable({ min: 5, max: 1_000, default: 40 }),
  /** The speech-to-text provider: OpenAI or a server that speaks its API. Default OpenAI's own. */
  TRANSCRIPTION_BASE_URL: urlVariable().default('https://api.openai.com/v1'),
  /** The key of that provider. */
  TRANSCRIPTION_API_KEY: secretVariable(),
  /** How the key is shown: `bearer`, or `api-key` as Azure wants it. Default `bearer`. */
  TRANSCRIPTION_KEY_HEADER: z.enum(KEY_HEADERS).default('bearer'),
  /** How the server takes the language: `languages` with keywords, one `language`, or `none`; `auto` goes by the model's name. Default `auto`. */
  TRANSCRIPTION_HINTS: z.enum(HINT_MODES).default('auto'),
  /** The model that transcribes. Default `gpt-transcribe`. */
  TRANSCRIPTION_MODEL: z.string().min(1).max(200).default('gpt-transcribe'),
  /** Milliseconds until a request is given up: a minute of audio at most, 20 minutes in mode `channels`. Default 120 s. */
  TRANSCRIPTION_TIMEOUT_MS: integerVariable({ min: 1_000, max: 600_000, default: 120_000 }),
  /** Requests to the speech-to-text provider that one process has open at the same time. Default 6. */
  TRANSCRIPTION_CONCURRENCY: integerVariable({ min: 1, max: 64, default: 6 }),
});

type Config = z.infer<typeof configSchema>;

/** Where recordings come from. */
export function twilioOf(config: Config): TwilioOptions {
  return {
    baseUrl: config.TWILIO_BASE_URL,
    accountSid: config.TWILIO_ACCOUNT_SID,
    apiKeySid: config.TWILIO_API_KEY_SID,
    apiKeySecret: config.TWILIO_API_KEY_SECRET,
    maxAudioBytes: config.MAX_AUDIO_BYTES,
  };
}

/** Who hears them. */
export function speechOf(config: Config): SpeechToTextOptions {
  return {
    baseUrl: config.TRANSCRIPTION_BASE_URL,
    apiKey: config.TRANSCRIPTION_API_KEY,
    keyHeader: config.TRANSCRIPTION_KEY_HEADER,
    hints: config.TRANSCRIPTION_HINTS,
    model: config.TRANSCRIPTION_MODEL,
    timeoutMs: config.TRANSCRIPTION_TIMEOUT_MS,
    concurrency: concurrencyOf(config),
  };
}

/** How a call is cut into requests, and what makes their texts doubtful. */
export function setupOf(config: Config): TranscriberDeps['setup'] {
  return {
    model: config.TRANSCRIPTION_MODEL,
    channelMap: config.CHANNEL_MAP,
    mode: config.TRANSCRIPTION_MODE,
    concurrency: concurrencyOf(config),
    maxCharsPerSec: config.MAX_SPOKEN_CHARS_PER_SEC,
  };
}

function concurrencyOf(config: Config): number {
  return requestsAtOnce(config.TRANSCRIPTION_MODE, config.TRANSCRIPTION_CONCURRENCY);
}
