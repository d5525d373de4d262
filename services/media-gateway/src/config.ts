import {
  brokerVariables,
  integerVariable,
  secretVariable,
  serviceVariables,
  storeVariables,
  urlVariable,
} from '@pipeline/runtime';
import { z } from 'zod';

const HOUR_MS = 3_600_000;

/** The environment of media-gateway. */
export const configSchema = z
  .object({
    ...serviceVariables,
    ...brokerVariables,
    ...storeVariables,
    /** Milliseconds from SIGTERM to a forced exit: above DRAIN_MS. Default 1 h, to be below the pod's grace. */
    SHUTDOWN_GRACE_MS: integerVariable({ min: 1_000, max: 4 * HOUR_MS, default: HOUR_MS }),
    /** Address on which Twilio is answered. Default all. */
    HTTP_HOST: z.string().min(1).default('0.0.0.0'),
    /** Port on which Twilio is answered; TLS ends before it. Default 8080. */
    HTTP_PORT: integerVariable({ min: 0, max: 65_535, default: 8_080 }),
    /** The origin that Twilio calls, as it signs it: `https://` and a host, with a port only if the URL has one. */
    PUBLIC_BASE_URL: z
      .string()
      .refine(
        (value) => URL.canParse(value) && isHttpsOrigin(value),
        'must be an https:// origin without path, query or slash',
      ),
    /** The account whose requests are accepted: `AC` and 32 hexadecimal digits. */
    TWILIO_ACCOUNT_SID: z.string().regex(/^AC[0-9a-f]{32}$/),
    /** Auth tokens that may have signed, comma separated: two while they rotate. */
    TWILIO_AUTH_TOKENS: z
      .string()
      .transform((list) => list.split(','))
      .pipe(z.array(secretVariable()).min(1).max(4)),
    /** OpenAI's API, or any server that speaks its Realtime API. */
    AGENT_BASE_URL: urlVariable().default('https://api.openai.com/v1'),
    /** Its key. */
    AGENT_API_KEY: secretVariable(),
    /** The model that talks. Default gpt-realtime-2.1. */
    AGENT_MODEL: z.string().min(1).max(200).default('gpt-realtime-2.1'),
    /** The model that writes down the caller's words for the live transcript. Default gpt-transcribe. */
    AGENT_TRANSCRIPTION_MODEL: z.string().min(1).max(200).default('gpt-transcribe'),
    /** Calls at the same time in this process; above it callers hear a busy tone. Default 200. */
    MAX_CALLS: integerVariable({ min: 1, max: 5_000, default: 200 }),
    /** Milliseconds that the event loop may be late (99th percentile of a second) before new calls go elsewhere. Default 150. */
    MAX_LOOP_DELAY_MS: integerVariable({ min: 10, max: 10_000, default: 150 }),
    /** Milliseconds after which a call is ended. Default 55 min: an agent's session lasts 60. */
    MAX_CALL_MS: integerVariable({ min: 1_000, max: 4 * HOUR_MS, default: 3_300_000 }),
    /** Milliseconds without audio from Twilio after which a call is ended. Default 20 s. */
    MEDIA_IDLE_MS: integerVariable({ min: 1_000, max: 600_000, default: 20_000 }),
    /** Audio from Twilio against the clock on the wall: a stream that is faster for long is ended. Default 2 times real time. */
    MEDIA_MAX_SPEED: integerVariable({ min: 1, max: 1_000, default: 2 }),
    /** Milliseconds without audio in the middle of a caller's words after which the agent is given silence. Default 750. */
    AGENT_SILENCE_AFTER_MS: integerVariable({ min: 100, max: 60_000, default: 750 }),
    /**
     * Milliseconds in which an agent must begin the greeting or the answer that it owes; then its session counts as lost. Default 10 s: an
     * answer begins within 1 to 3, few callers bear a longer silence, and a false alarm costs the session's memory of the last words. As
     * long may a session that says nothing take to answer that it still hears.
     */
    AGENT_MUTE_AFTER_MS: integerVariable({ min: 1_000, max: 60_000, default: 10_000 }),
    /** Milliseconds to wait, after the end of a call, for transcriptions of the caller's last words. Default 3 s. */
    TRANSCRIPTION_GRACE_MS: integerVariable({ min: 0, max: 10_000, default: 3_000 }),
    /** Milliseconds that running calls may go on after SIGTERM. Default 59 min. */
    DRAIN_MS: integerVariable({ min: 0, max: 4 * HOUR_MS, default: 3_540_000 }),
  })
  .refine((config) => config.SHUTDOWN_GRACE_MS > config.DRAIN_MS + config.TRANSCRIPTION_GRACE_MS, {
    message:
      'SHUTDOWN_GRACE_MS must be above DRAIN_MS and TRANSCRIPTION_GRACE_MS together, or calls would end unpublished',
  });

export type Config = z.infer<typeof configSchema>;

function isHttpsOrigin(value: string): boolean {
  return value.startsWith('https://') && new URL(value).host === value.slice('https://'.length);
}

/** Who talks, and where it is reached. */
export function agentOf(config: Config) {
  return {
    baseUrl: config.AGENT_BASE_URL,
    apiKey: config.AGENT_API_KEY,
    model: config.AGENT_MODEL,
    transcriptionModel: config.AGENT_TRANSCRIPTION_MODEL,
    silenceAfterMs: config.AGENT_SILENCE_AFTER_MS,
    deafAfterMs: config.AGENT_MUTE_AFTER_MS,
  };
}
