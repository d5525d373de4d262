import type { OpenAI } from 'openai';
import { z } from 'zod';
import { RetryLaterError } from '@pipeline/contracts';
import { isRefusalOf } from './failure.ts';
import { instructionsOf, type FormMode } from './form.ts';
import type { Question } from './question.ts';
import { countSchema, tokensOf, type Spoken } from './spoken.ts';

/** Asks by `POST /chat/completions`, which every OpenAI-compatible server speaks (vLLM, Ollama, llama.cpp, LiteLLM). */
export function createChatApi(
  client: OpenAI,
  options: { readonly model: string; readonly form: FormMode; readonly maxOutputTokens: number },
) {
  /** Older servers know the limit by its older name only: found out once, not once a question. */
  let limit: 'max_completion_tokens' | 'max_tokens' = 'max_completion_tokens';

  const create = (question: Question<unknown>, signal: AbortSignal): Promise<unknown> => {
    const messages = [
      { role: 'system' as const, content: instructionsOf(question, options.form) },
      { role: 'user' as const, content: question.input },
    ];
    const body = {
      model: options.model,
      messages,
      [limit]: options.maxOutputTokens,
      ...formatOf(question, options.form),
    };
    return client.chat.completions.create(body, { signal });
  };

  return async (question: Question<unknown>, signal: AbortSignal): Promise<Spoken> => {
    try {
      return spokenOf(await create(question, signal));
    } catch (error) {
      const namesLimit = error instanceof Error && /max_completion_tokens/.test(error.message);
      if (limit === 'max_tokens' || !namesLimit || !isRefusalOf(limit, error)) throw error;
      limit = 'max_tokens';
      return spokenOf(await create(question, signal));
    }
  };
}

function formatOf({ name, schema }: Question<unknown>, form: FormMode) {
  switch (form) {
    case 'schema': {
      const format = { name, strict: true, schema: { ...schema } };
      return { response_format: { type: 'json_schema' as const, json_schema: format } };
    }
    case 'object':
      return { response_format: { type: 'json_object' as const } };
    case 'prompt':
      return {};
  }
}

/** The part of a completion that we read. Checked, because the client believes any server. */
const completionSchema = z.object({
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish().catch(null),
        message: z.object({
          content: z.string().nullish().catch(null),
          refusal: z.string().nullish().catch(null),
        }),
      }),
    )
    .min(1),
  usage: z.object({ prompt_tokens: countSchema, completion_tokens: countSchema }).nullish().catch(null),
});

/** The words of a completion. Refused, filtered and cut answers are failures of the part. */
function spokenOf(completion: unknown): Spoken {
  const parsed = completionSchema.safeParse(completion);
  if (!parsed.success) throw new RetryLaterError('the text model answered no completion', { cause: parsed.error });
  const { choices, usage } = parsed.data;
  const tokens = tokensOf(usage?.prompt_tokens, usage?.completion_tokens);
  const [choice] = choices;
  const refusal = choice?.message.refusal ?? '';
  if (choice?.finish_reason === 'content_filter' || refusal !== '') {
    return { kind: 'failed', code: 'PROVIDER_REFUSED', tokens };
  }
  if (choice?.finish_reason === 'length') return { kind: 'failed', code: 'OUTPUT_TRUNCATED', tokens };
  return { kind: 'said', text: choice?.message.content ?? '', tokens };
}
