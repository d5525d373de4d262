import { OpenAI } from 'openai';
import { createBoundedFetch } from './bounded-fetch.ts';

/** Headers that carry a key. */
export const KEY_HEADERS = ['bearer', 'api-key'] as const;
export type KeyHeader = (typeof KEY_HEADERS)[number];

/** Which provider is asked, and with whose key. */
export type AiClientOptions = {
  /** `https://api.openai.com/v1`, or where another server speaks the same API. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** How the key is shown: `bearer` (OpenAI, most servers; the default) or `api-key`, the header of Azure. */
  readonly keyHeader?: KeyHeader;
  /** Bytes of one answer, unpacked. A longer one breaks off while it is read. */
  readonly maxAnswerBytes: number;
};

/** What speech-to-text answers, in the vendor's words. Nobody has checked it: the client believes any server. */
export type Transcription = OpenAI.Audio.Transcription;

/**
 * The vendor's client for requests over HTTP, which asks once: the stream redelivers. The deadline of a request comes with its
 * signal; what it throws is translated by `aiFailure`.
 */
export function createAiClient(options: AiClientOptions): OpenAI {
  return new OpenAI({
    apiKey: options.apiKey,
    baseURL: options.baseUrl,
    maxRetries: 0,
    logLevel: 'off', // Its debug lines hold request bodies.
    organization: null, // Left out, these two would come from the environment.
    project: null,
    ...(options.keyHeader === 'api-key' ? { defaultHeaders: { 'api-key': options.apiKey, Authorization: null } } : {}),
    fetch: createBoundedFetch(options.maxAnswerBytes),
  });
}
