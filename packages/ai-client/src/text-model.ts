import { z } from 'zod';
import { PermanentError, RetryLaterError } from '@pipeline/contracts';
import { createAiClient, type AiClientOptions } from './client.ts';
import { aiFailure } from './failure.ts';
import type { Answer, Question } from './question.ts';

/** Which model is asked, where, and how much of it one question may take. */
export type TextModelOptions = Pick<AiClientOptions, 'baseUrl' | 'apiKey'> & {
  readonly model: string;
  /** Milliseconds for one request as a whole. */
  readonly timeoutMs: number;
  /** Tokens of one answer, the model's own thinking included. */
  readonly maxOutputTokens: number;
};

/** More than a model can say in the tokens that it has. */
const MAX_ANSWER_BYTES = 2_097_152;
const REPAIR = 'Your last answer did not have the asked form. Answer with the JSON object alone.';

/**
 * A text model behind OpenAI's `POST /responses`, or a server that speaks it, with a structured answer. An answer that is not of
 * the asked form is asked for once more. Nothing else is retried here: the stream redelivers. Throws RetryLaterError, or
 * PermanentError `PROVIDER_REJECTED`, `PROVIDER_REFUSED` (filtered words too), `OUTPUT_TRUNCATED` or `OUTPUT_INVALID`; when the
 * signal of the question ends it, the signal's reason.
 */
export function createTextModel(options: TextModelOptions) {
  const { baseUrl, apiKey } = options;
  const client = createAiClient({ baseUrl, apiKey, maxAnswerBytes: MAX_ANSWER_BYTES });

  const request = async (question: Question<unknown>, outer: AbortSignal): Promise<Spoken> => {
    const { name, instructions, input, schema } = question;
    const format = { type: 'json_schema' as const, name, strict: true, schema: { ...schema } };
    const limits = { store: false, max_output_tokens: options.maxOutputTokens };
    const signal = AbortSignal.any([outer, AbortSignal.timeout(options.timeoutMs)]);
    try {
      const body = { model: options.model, instructions, input, text: { format }, ...limits };
      return spokenText(await client.responses.create(body, { signal }));
    } catch (error) {
      throw aiFailure(error, 'the text model', outer);
    }
  };

  return async <T>(question: Question<T>, signal: AbortSignal): Promise<Answer<T>> => {
    const first = await request(question, signal);
    const answer = question.read(parseJson(first.text));
    if (answer !== undefined) return { value: answer, usage: { requests: 1, ...first.usage } };
    const second = await request({ ...question, instructions: `${question.instructions}\n\n${REPAIR}` }, signal);
    const repaired = question.read(parseJson(second.text));
    if (repaired === undefined) throw new PermanentError('OUTPUT_INVALID');
    const inputTokens = first.usage.inputTokens + second.usage.inputTokens;
    const outputTokens = first.usage.outputTokens + second.usage.outputTokens;
    return { value: repaired, usage: { requests: 2, inputTokens, outputTokens } };
  };
}

type Spoken = {
  readonly text: string;
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number };
};

const tokensSchema = z.number().min(0).catch(0);
/** The part of a response that we read. Checked, because the client believes any server. */
const responseSchema = z.object({
  status: z.string().default('completed'),
  error: z.object({ code: z.string().nullish() }).nullish(),
  incomplete_details: z.object({ reason: z.string().nullish() }).nullish(),
  output: z.array(
    z.object({
      content: z
        .array(z.object({ type: z.string(), text: z.string().optional() }))
        .nullish()
        .catch(null),
    }),
  ),
  usage: z.object({ input_tokens: tokensSchema, output_tokens: tokensSchema }).nullish().catch(null),
});

/** The words of a response. Refused, filtered and cut answers are failures of the part; a failed response is asked for again. */
function spokenText(response: unknown): Spoken {
  const parsed = responseSchema.safeParse(response);
  if (!parsed.success) throw new RetryLaterError('the text model answered no response', { cause: parsed.error });
  const { status, error, incomplete_details: incomplete, output, usage } = parsed.data;
  const content = output.flatMap((item) => item.content ?? []);
  const isRefused = incomplete?.reason === 'content_filter' || content.some(({ type }) => type === 'refusal');
  if (isRefused) throw new PermanentError('PROVIDER_REFUSED');
  if (status === 'incomplete') throw new PermanentError('OUTPUT_TRUNCATED');
  if (status !== 'completed') {
    if (error?.code?.startsWith('invalid_') === true) throw new PermanentError('PROVIDER_REJECTED');
    throw new RetryLaterError(`the text model's response is ${status}`);
  }
  const text = content.map((part) => (part.type === 'output_text' ? (part.text ?? '') : '')).join('');
  return { text, usage: { inputTokens: usage?.input_tokens ?? 0, outputTokens: usage?.output_tokens ?? 0 } };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
