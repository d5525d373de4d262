import { PermanentError, withSpent, type PaidSteps } from '@pipeline/contracts';
import { createChatApi } from './chat-api.ts';
import { createAiClient, type AiClientOptions } from './client.ts';
import { aiFailure } from './failure.ts';
import type { FormMode } from './form.ts';
import { heardOf, heardSchema, type Heard } from './heard.ts';
import type { Answer, Question } from './question.ts';
import { createResponsesApi } from './responses-api.ts';
import type { Spoken, Tokens } from './spoken.ts';

/** The two APIs by which a text model is asked: OpenAI's own, and the older one that every compatible server speaks. */
export const TEXT_APIS = ['responses', 'chat'] as const;
export type TextApi = (typeof TEXT_APIS)[number];

/** Which model is asked, where and how, and how much of it one question may take. */
export type TextModelOptions = Pick<AiClientOptions, 'baseUrl' | 'apiKey' | 'keyHeader'> & {
  readonly model: string;
  /** Default `responses`. */
  readonly api?: TextApi;
  /** What the server can do about the form of an answer. Default `schema`. */
  readonly form?: FormMode;
  /** Milliseconds for one request as a whole. */
  readonly timeoutMs: number;
  /** Tokens of one answer, the model's own thinking included. */
  readonly maxOutputTokens: number;
};

/** More than a model can say in the tokens that it has. */
const MAX_ANSWER_BYTES = 2_097_152;
const REPAIR = 'Your last answer did not have the asked form. Answer with the JSON object alone.';

/**
 * A text model behind OpenAI's API, or a server that speaks it, with a structured answer. An answer that is not of the asked form is
 * asked for once more. Nothing else is retried here: the stream redelivers, and answers that `paid` holds of an earlier delivery are
 * not asked for again. Throws RetryLaterError, or PermanentError
 * `PROVIDER_REJECTED`, `PROVIDER_REFUSED` (filtered words too), `OUTPUT_TRUNCATED` or `OUTPUT_INVALID`, with what was paid in
 * `spent`; when the signal of the question ends it, the signal's reason.
 */
export function createTextModel(options: TextModelOptions) {
  const { baseUrl, apiKey, keyHeader, model, form = 'schema', maxOutputTokens } = options;
  const client = createAiClient({ baseUrl, apiKey, maxAnswerBytes: MAX_ANSWER_BYTES, ...(keyHeader && { keyHeader }) });
  const asking = { model, form, maxOutputTokens };
  const speak = options.api === 'chat' ? createChatApi(client, asking) : createResponsesApi(client, asking);

  const request = async (question: Question<unknown>, outer: AbortSignal): Promise<Spoken> => {
    const signal = AbortSignal.any([outer, AbortSignal.timeout(options.timeoutMs)]);
    try {
      return await speak(question, signal);
    } catch (error) {
      throw aiFailure(error, 'the text model', outer);
    }
  };

  return async <T>(question: Question<T>, paid: PaidSteps, signal: AbortSignal): Promise<Answer<T>> => {
    const counts: Tokens[] = [];
    const spent = () => ({ model, usage: usageOf(counts) });
    for (const step of ['asked', 'repair'] as const) {
      const repair = step === 'repair' ? `\n\n${REPAIR}` : '';
      const asked = { ...question, instructions: question.instructions + repair };
      const ask = async (): Promise<Heard> => heardOf(await request(asked, signal), question, form);
      const heard = await paid.once(step, heardSchema, ask).catch((error: unknown) => {
        throw counts.length === 0 ? error : withSpent(error, spent());
      });
      counts.push(heard.tokens);
      if (heard.kind === 'failed') throw new PermanentError(heard.code, { spent: spent() });
      const value = heard.kind === 'answered' ? question.read(heard.json) : undefined;
      if (value !== undefined) return { value, usage: usageOf(counts) };
    }
    throw new PermanentError('OUTPUT_INVALID', { spent: spent() });
  };
}

/** All requests of a question together. A sum that misses the count of one request would be no count, so it is left out. */
function usageOf(paid: readonly Tokens[]): Readonly<Record<string, number>> {
  const sum = (counts: readonly (number | undefined)[]): number | undefined =>
    counts.reduce((total, count) => (total === undefined || count === undefined ? undefined : total + count), 0);
  const inputTokens = sum(paid.map((tokens) => tokens.inputTokens));
  const outputTokens = sum(paid.map((tokens) => tokens.outputTokens));
  return {
    requests: paid.length,
    ...(inputTokens === undefined ? {} : { inputTokens }),
    ...(outputTokens === undefined ? {} : { outputTokens }),
  };
}
