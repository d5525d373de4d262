import { aiFailure, createAiClient, isRefusalOf, type KeyHeader, type Transcription } from '@pipeline/ai-client';
import { PermanentError, RetryLaterError } from '@pipeline/contracts';
import { createLimiter } from '../bounded.ts';
import type { Hint, SpeechRequest, SpeechText } from '../speech-to-text.ts';
import { multipartForm } from './multipart.ts';
import { createHintMemory, hintModeOf, hintsOf, parameterOf, type HintMode } from './speech-hints.ts';

export type SpeechToTextOptions = {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly keyHeader?: KeyHeader;
  readonly model: string;
  /** Default `auto`. */
  readonly hints?: HintMode;
  /** Milliseconds for one request as a whole. */
  readonly timeoutMs: number;
  /** Requests open at the same time, for this client. */
  readonly concurrency: number;
};

/** An answer is the text of a minute at most; a server that sends more than this is not answering us. */
const MAX_ANSWER_BYTES = 1_048_576;
const PROVIDER = 'speech-to-text';
/** Codes of languages are shorter; what is longer is none. */
const LONGEST_LANGUAGE = 32;

/** Speech-to-text by OpenAI's `POST /audio/transcriptions`, or a server that speaks it. Never retries by itself: the stream redelivers. */
export function createSpeechToText(options: SpeechToTextOptions) {
  const { baseUrl, apiKey, keyHeader } = options;
  const client = createAiClient({ baseUrl, apiKey, maxAnswerBytes: MAX_ANSWER_BYTES, ...(keyHeader && { keyHeader }) });
  const limit = createLimiter(options.concurrency);
  const mode = hintModeOf(options.hints ?? 'auto', options.model);
  const memory = createHintMemory(mode);

  const ask = async (request: SpeechRequest, hints: readonly Hint[], signal: AbortSignal): Promise<SpeechText> => {
    const { audio } = request;
    const file = { name: 'file', fileName: 'speech.wav', type: 'audio/wav', ...audio };
    const fields = { model: options.model, response_format: 'json', ...hintsOf(mode, request, hints) };
    const form = multipartForm(Object.entries(fields).flatMap(formFieldOf), file);
    // Not by the client's own method: that makes the whole body before it sends any of it.
    const answer: Transcription | string = await client.post('/audio/transcriptions', { ...form, signal });
    // The client does not check what it was sent: a proxy's page comes as a string, another server may leave the text out.
    if (typeof answer === 'string') throw new RetryLaterError(`${PROVIDER} answered no JSON`);
    if (typeof answer.text !== 'string') throw new PermanentError('OUTPUT_INVALID');
    return { text: answer.text, language: languageOf(answer), usage: usageOf(answer.usage, audio.seconds) };
  };

  /**
   * What a model takes as languages and keywords is not published: one that it does not know is a 400, and no reason to lose the call. It
   * is asked again without what it complains of, once for each hint. Where it does not say, only the last one that was left out is sure.
   */
  const hear = async (request: SpeechRequest, signal: AbortSignal): Promise<SpeechText> => {
    let hints = memory.taken(request);
    let leftOut: Hint | undefined;
    for (;;) {
      try {
        const heard = await ask(request, hints, signal);
        if (leftOut !== undefined && memory.remember(leftOut, request)) request.onRefusedHint?.(leftOut);
        return heard;
      } catch (error) {
        const refused = hints.find((hint) => isRefusalOf(parameterOf(mode, hint), error));
        if (refused === undefined) throw error;
        hints = hints.filter((hint) => hint !== refused);
        leftOut = refused;
      }
    }
  };

  return (given: SpeechRequest, outer: AbortSignal): Promise<SpeechText> =>
    limit(async () => {
      const signal = AbortSignal.any([outer, AbortSignal.timeout(options.timeoutMs)]);
      try {
        return await hear({ ...given, language: baseLanguage(given.language) }, signal);
      } catch (error) {
        throw aiFailure(error, PROVIDER, outer);
      }
    }, outer);
}

/** A list goes as one field an item, in the way of this API. */
function formFieldOf([name, value]: [string, string | string[]]): [string, string][] {
  return typeof value === 'string' ? [[name, value]] : value.map((item) => [`${name}[]`, item]);
}

/** ISO 639-1, which is what the provider takes: `ar-EG` is `ar`. */
function baseLanguage(language: string): string {
  return language.split('-')[0] ?? language;
}

/** The language that was heard, as a server says it that nobody has checked. */
function languageOf({ languages }: Transcription): string | null {
  const code: unknown = languages?.[0]?.code;
  return typeof code === 'string' && code !== '' && code.length <= LONGEST_LANGUAGE ? code : null;
}

/** What the provider counted. The length of the audio is known here, whether the provider counts it, tokens or nothing. */
function usageOf(usage: Transcription['usage'], seconds: number): Record<string, number> {
  const audioSeconds = Math.round(seconds * 1_000) / 1_000;
  if (usage === undefined || usage === null) return { audioSeconds };
  if (usage.type === 'duration') return { audioSeconds: usage.seconds };
  return { audioSeconds, inputTokens: usage.input_tokens, outputTokens: usage.output_tokens };
}
