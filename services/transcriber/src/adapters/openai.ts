import { aiFailure, createAiClient, isRefusalOf, type Transcription } from '@pipeline/ai-client';
import { PermanentError, RetryLaterError } from '@pipeline/contracts';
import { createLimiter } from '../bounded.ts';
import type { SpeechRequest, SpeechText } from '../hear.ts';

export type SpeechToTextOptions = {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly model: string;
  /** Milliseconds for one request as a whole. */
  readonly timeoutMs: number;
  /** Requests open at the same time, for this client. */
  readonly concurrency: number;
};

/** An answer is the text of a minute at most; a server that sends more than this is not answering us. */
const MAX_ANSWER_BYTES = 1_048_576;
const PROVIDER = 'speech-to-text';

/** Speech-to-text by OpenAI's `POST /audio/transcriptions`, or a server that speaks it. Never retries by itself: the stream redelivers. */
export function createSpeechToText(options: SpeechToTextOptions) {
  const { baseUrl, apiKey } = options;
  const client = createAiClient({ baseUrl, apiKey, maxAnswerBytes: MAX_ANSWER_BYTES });
  const limit = createLimiter(options.concurrency);
  const hinted = modelTakesHints(options.model);
  /** Languages that the model refused as a hint: asked once, not once a segment. */
  const refused = new Set<string>();

  const ask = async (request: SpeechRequest, withLanguages: boolean, signal: AbortSignal): Promise<SpeechText> => {
    const language = baseLanguage(request.language);
    const hints = hinted
      ? {
          ...(withLanguages ? { languages: [language] } : {}),
          ...(request.keywords.length > 0 ? { keywords: [...request.keywords] } : {}),
        }
      : { language };
    const file = new File([await request.audio()], 'speech.wav', { type: 'audio/wav' });
    const body = { file, model: options.model, response_format: 'json' as const, ...hints };
    const answer = await client.audio.transcriptions.create(body, { signal });
    // The client does not check what it was sent: a proxy's page comes as a string, another server may leave the text out.
    if (typeof answer === 'string') throw new RetryLaterError(`${PROVIDER} answered no JSON`);
    if (typeof answer.text !== 'string') throw new PermanentError('OUTPUT_INVALID');
    return { text: answer.text, language: answer.languages?.[0]?.code ?? null, usage: usageOf(answer.usage) };
  };

  return (request: SpeechRequest, outer: AbortSignal): Promise<SpeechText> =>
    limit(async () => {
      const signal = AbortSignal.any([outer, AbortSignal.timeout(options.timeoutMs)]);
      const language = baseLanguage(request.language);
      try {
        return await ask(request, !refused.has(language), signal);
      } catch (error) {
        // The allow-list of `languages` is not published: a code that the model does not know is a 400, and no reason to lose the call.
        const isAboutLanguages = hinted && !refused.has(language) && isRefusalOf('languages', error);
        if (!isAboutLanguages) throw aiFailure(error, PROVIDER, outer);
      }
      try {
        const heard = await ask(request, false, signal);
        refused.add(language);
        return heard;
      } catch (error) {
        throw aiFailure(error, PROVIDER, outer);
      }
    }, outer);
}

/** The newer models take several languages and keywords; the older ones take one language and call the rest unknown. */
function modelTakesHints(model: string): boolean {
  return /^gpt-(live-)?transcribe/.test(model);
}

/** ISO 639-1, which is what the provider takes: `ar-EG` is `ar`. */
function baseLanguage(language: string): string {
  return language.split('-')[0] ?? language;
}

function usageOf(usage: Transcription['usage']): Record<string, number> {
  if (usage === undefined || usage === null) return {};
  if (usage.type === 'duration') return { audioSeconds: usage.seconds };
  return { inputTokens: usage.input_tokens, outputTokens: usage.output_tokens };
}
