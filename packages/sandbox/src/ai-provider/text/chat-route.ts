import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parseBody, refuseKeys } from '../body.ts';
import { survives, type ExchangeDeps } from '../exchange.ts';
import { excerpt } from '../ledger.ts';
import { findModel, isReasoning } from '../models.ts';
import { jsonSchemaSchema } from './json-schema.ts';
import { messageSchema, splitMessages } from './messages.ts';
import { checkTemperature } from './model-rules.ts';
import { outcomeOf, tokensOf, type Outcome } from './outcome.ts';
import { chatty, schemaInWords } from './schema-in-words.ts';
import { checkStrictSchema } from './strict-schema.ts';
import type { TextModel } from './text-model.ts';

const formatSchema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text') }),
  z.looseObject({ type: z.literal('json_object') }),
  z.looseObject({
    type: z.literal('json_schema'),
    json_schema: z.looseObject({
      name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
      schema: jsonSchemaSchema,
      strict: z.boolean().nullish(),
    }),
  }),
]);

const requestSchema = z.looseObject({
  model: z.string(),
  messages: z.array(messageSchema).min(1),
  response_format: formatSchema.optional(),
  temperature: z.number().min(0).max(2).nullish(),
});

/** Names of the newer API, and what this sandbox does not do. */
const REFUSED = ['input', 'instructions', 'text', 'max_output_tokens', 'stream'];

/** `POST /v1/chat/completions`: one choice, in words or as structured output. */
export function addChatRoute(app: FastifyInstance, textModel: TextModel, deps: ExchangeDeps): void {
  app.post('/v1/chat/completions', async (request, reply) => {
    const entry = deps.ledger.open('chat', Number(request.headers['content-length'] ?? 0), request);
    const body = parseBody(requestSchema, request.body);
    refuseKeys(body, REFUSED);
    const { instructions, prompt } = splitMessages(body.messages);
    entry.model = body.model;
    entry.text = excerpt(prompt);
    const fault = deps.faults.take('chat', { model: body.model, text: `${instructions}\n${prompt}` });
    if (!(await survives(fault, reply, deps.closing))) return reply;
    const model = findModel(body.model, 'text');
    checkTemperature(model, body.temperature);
    const isStrict = isReasoning(model) && deps.dialect.limit === 'max_completion_tokens';
    if (isStrict) refuseKeys(body, ['max_tokens'], "Use 'max_completion_tokens' instead.");
    const format = body.response_format?.type === 'json_schema' ? body.response_format.json_schema : undefined;
    if (format?.strict === true) checkStrictSchema(format.schema, format.name, 'response_format');
    const told = schemaInWords(instructions);
    const answer = textModel.answer({ instructions, prompt, schema: format?.schema ?? told });
    entry.dialogueId = answer.dialogueId;
    const text = told !== undefined && deps.dialect.forms === 'none' ? chatty(answer.text) : answer.text;
    return completionOf(body.model, outcomeOf(text, fault), tokensOf(instructions + prompt));
  });
}

function completionOf(model: string, outcome: Outcome, promptTokens: number): object {
  const refusal = outcome.kind === 'refused' ? outcome.refusal : null;
  const content = outcome.kind === 'refused' ? null : outcome.text;
  const completionTokens = tokensOf(content ?? refusal ?? '');
  return {
    id: `chatcmpl-${randomUUID().replaceAll('-', '')}`,
    object: 'chat.completion',
    created: Math.floor(Date.now() / 1_000),
    model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content, refusal, annotations: [] },
        logprobs: null,
        finish_reason: finishReason(outcome),
      },
    ],
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
    },
    service_tier: 'default',
    system_fingerprint: null,
  };
}

function finishReason(outcome: Outcome): string {
  if (outcome.kind !== 'cut') return 'stop';
  return outcome.reason === 'max_output_tokens' ? 'length' : 'content_filter';
}
