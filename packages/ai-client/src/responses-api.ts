import type { OpenAI } from 'openai';
import { z } from 'zod';
import { RetryLaterError } from '@pipeline/contracts';
import { instructionsOf, type FormMode } from './form.ts';
import type { Question } from './question.ts';
import { countSchema, tokensOf, type Spoken } from './spoken.ts';

/** Asks by `POST /responses`, the API of OpenAI and Azure. Nothing is kept there. */
export function createResponsesApi(
  client: OpenAI,
  options: { readonly model: string; readonly form: FormMode; readonly maxOutputTokens: number },
) {
  return async (question: Question<unknown>, signal: AbortSignal): Promise<Spoken> => {
    const body = {
      model: options.model,
      instructions: instructionsOf(question, options.form),
      input: question.input,
      ...textOf(question, options.form),
      store: false,
      max_output_tokens: options.maxOutputTokens,
    };
    return spokenOf(await client.responses.create(body, { signal }));
  };
}

function textOf({ name, schema }: Question<unknown>, form: FormMode) {
  switch (form) {
    case 'schema':
      return { text: { format: { type: 'json_schema' as const, name, strict: true, schema: { ...schema } } } };
    case 'object':
      return { text: { format: { type: 'json_object' as const } } };
    case 'prompt':
      return {};
  }
}

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
  usage: z.object({ input_tokens: countSchema, output_tokens: countSchema }).nullish().catch(null),
});

/** The words of a response. Refused, filtered and cut answers are failures of the part; a failed response is asked for again. */
function spokenOf(response: unknown): Spoken {
  const parsed = responseSchema.safeParse(response);
  if (!parsed.success) throw new RetryLaterError('the text model answered no response', { cause: parsed.error });
  const { status, error, incomplete_details: incomplete, output, usage } = parsed.data;
  const tokens = tokensOf(usage?.input_tokens, usage?.output_tokens);
  const content = output.flatMap((item) => item.content ?? []);
  const isRefused = incomplete?.reason === 'content_filter' || content.some(({ type }) => type === 'refusal');
  if (isRefused) return { kind: 'failed', code: 'PROVIDER_REFUSED', tokens };
  if (status === 'incomplete') return { kind: 'failed', code: 'OUTPUT_TRUNCATED', tokens };
  if (status !== 'completed') {
    if (error?.code?.startsWith('invalid_') === true) return { kind: 'failed', code: 'PROVIDER_REJECTED', tokens };
    throw new RetryLaterError(`the text model's response is ${status}`);
  }
  const text = content.map((part) => (part.type === 'output_text' ? (part.text ?? '') : '')).join('');
  return { kind: 'said', text, tokens };
}
