import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parseBody, refuseKeys } from '../body.ts';
import { survives, type ExchangeDeps } from '../exchange.ts';
import { excerpt } from '../ledger.ts';
import { findModel } from '../models.ts';
import { jsonSchemaSchema } from './json-schema.ts';
import { messageSchema, splitMessages } from './messages.ts';
import { checkTemperature } from './model-rules.ts';
import { outcomeOf, tokensOf, type Outcome } from './outcome.ts';
import { schemaInWords } from './schema-in-words.ts';
import { checkStrictSchema } from './strict-schema.ts';
import type { TextModel } from './text-model.ts';

const formatSchema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text') }),
  z.looseObject({ type: z.literal('json_object') }),
  z.looseObject({
    type: z.literal('json_schema'),
    name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
    schema: jsonSchemaSchema,
    strict: z.boolean().nullish(),
  }),
]);

const requestSchema = z.looseObject({
  model: z.string(),
  input: z.union([z.string(), z.array(messageSchema).min(1)]),
  instructions: z.string().nullish(),
  text: z.looseObject({ format: formatSchema.optional() }).optional(),
  temperature: z.number().min(0).max(2).nullish(),
  max_output_tokens: z.int().min(16).nullish(),
  metadata: z.record(z.string().max(64), z.string().max(512)).nullish(),
  store: z.boolean().nullish(),
});
type ResponsesRequest = z.infer<typeof requestSchema>;

/** Names of the older API, and what this sandbox does not do. */
const REFUSED = ['messages', 'response_format', 'max_tokens', 'max_completion_tokens', 'stream', 'background'];

/** `POST /v1/responses`: one answer, in words or as structured output. */
export function addResponsesRoute(app: FastifyInstance, textModel: TextModel, deps: ExchangeDeps): void {
  app.post('/v1/responses', async (request, reply) => {
    const entry = deps.ledger.open('responses', Number(request.headers['content-length'] ?? 0), request);
    const body = parseBody(requestSchema, request.body);
    refuseKeys(body, REFUSED);
    const { instructions, prompt } = questionOf(body);
    entry.model = body.model;
    entry.text = excerpt(prompt);
    const fault = deps.faults.take('responses', { model: body.model, text: `${instructions}\n${prompt}` });
    if (!(await survives(fault, reply, deps.closing))) return reply;
    checkTemperature(findModel(body.model, 'text'), body.temperature);
    const format = body.text?.format;
    const schema = format?.type === 'json_schema' ? format.schema : schemaInWords(instructions);
    if (format?.type === 'json_schema' && format.strict === true) {
      checkStrictSchema(format.schema, format.name, 'text.format.schema');
    }
    const answer = textModel.answer({ instructions, prompt, schema });
    entry.dialogueId = answer.dialogueId;
    const outcome = outcomeOf(answer.text, fault);
    return responseOf(body, outcome, tokensOf(instructions + prompt));
  });
}

function questionOf(body: ResponsesRequest): { instructions: string; prompt: string } {
  const messages = typeof body.input === 'string' ? [{ role: 'user' as const, content: body.input }] : body.input;
  const split = splitMessages(messages);
  return { instructions: [body.instructions ?? '', split.instructions].join('\n').trim(), prompt: split.prompt };
}

function responseOf(body: ResponsesRequest, outcome: Outcome, inputTokens: number): object {
  const now = Math.floor(Date.now() / 1_000);
  const status = outcome.kind === 'cut' ? 'incomplete' : 'completed';
  const outputTokens = tokensOf(outcome.kind === 'refused' ? outcome.refusal : outcome.text);
  return {
    id: `resp_${randomUUID().replaceAll('-', '')}`,
    object: 'response',
    created_at: now,
    completed_at: status === 'completed' ? now : null,
    status,
    background: false,
    error: null,
    incomplete_details: outcome.kind === 'cut' ? { reason: outcome.reason } : null,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    metadata: body.metadata ?? {},
    model: body.model,
    output: [
      {
        id: `msg_${randomUUID().replaceAll('-', '')}`,
        type: 'message',
        status,
        role: 'assistant',
        content: [contentOf(outcome)],
      },
    ],
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    service_tier: 'default',
    store: body.store ?? true,
    temperature: body.temperature ?? 1,
    text: { format: body.text?.format ?? { type: 'text' }, verbosity: 'medium' },
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    truncation: 'disabled',
    usage: {
      input_tokens: inputTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: outputTokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: inputTokens + outputTokens,
    },
    user: null,
  };
}

function contentOf(outcome: Outcome): object {
  if (outcome.kind === 'refused') return { type: 'refusal', refusal: outcome.refusal };
  return { type: 'output_text', text: outcome.text, annotations: [], logprobs: [] };
}
