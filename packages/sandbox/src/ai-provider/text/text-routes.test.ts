import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDialogues } from '../../dialogues/load.ts';
import { startAiProvider, type AiProvider } from '../ai-provider.ts';
import { API_KEY, ask } from '../test-client.ts';

const dialogues = await loadDialogues();
const dialogue = dialogues.find(({ id }) => id === 'he-renovation')!;
const TRANSCRIPT = dialogue.turns.map((turn) => `${turn.speaker}: ${turn.text}`).join('\n');
const SUMMARY = dialogue.answers.summary;
const SCHEMA = {
  type: 'object',
  properties: { summary: { type: 'string' } },
  required: ['summary'],
  additionalProperties: false,
};
let provider: AiProvider;
beforeAll(async () => {
  provider = await startAiProvider({ dialogues, apiKey: API_KEY });
});
afterAll(() => provider.close());

const format = { type: 'json_schema', name: 'call_summary', strict: true, schema: SCHEMA };
const toResponses = (change: object = {}) =>
  ask(provider, '/responses', {
    model: 'gpt-6-luna',
    instructions: 'Summarize the call.',
    input: [{ role: 'user', content: [{ type: 'input_text', text: TRANSCRIPT }] }],
    text: { format },
    store: false,
    ...change,
  });
const toChat = (change: object = {}) =>
  ask(provider, '/chat/completions', {
    model: 'gpt-6-luna',
    messages: [
      { role: 'developer', content: 'Summarize the call.' },
      { role: 'user', content: TRANSCRIPT },
    ],
    response_format: { type: 'json_schema', json_schema: { name: 'call_summary', strict: true, schema: SCHEMA } },
    ...change,
  });

describe('responses', () => {
  it('answer with structured output in the shape of the API', async () => {
    const { status, body, headers } = await toResponses();
    expect(status).toBe(200);
    expect(headers.get('x-request-id')).toMatch(/^req_/);
    expect(body).toMatchObject({
      id: expect.stringMatching(/^resp_/),
      object: 'response',
      status: 'completed',
      error: null,
      incomplete_details: null,
      model: 'gpt-6-luna',
      store: false,
      output: [
        {
          type: 'message',
          role: 'assistant',
          status: 'completed',
          content: [{ type: 'output_text', text: JSON.stringify({ summary: SUMMARY }), annotations: [] }],
        },
      ],
      usage: { input_tokens: expect.any(Number), output_tokens: expect.any(Number), total_tokens: expect.any(Number) },
    });
    expect(provider.requests.at(-1)).toMatchObject({
      route: 'responses',
      dialogueId: dialogue.id,
      status: 200,
      model: 'gpt-6-luna',
    });
  });

  it('answer in plain words when no shape is asked for', async () => {
    const { body } = await toResponses({ text: undefined, input: TRANSCRIPT });
    expect(body).toMatchObject({ output: [{ content: [{ type: 'output_text', text: SUMMARY }] }] });
  });

  it('are refused, incomplete, malformed or of another shape on demand', async () => {
    const contentUnder = async (kind: 'refusal' | 'truncated' | 'content_filter' | 'malformed' | 'invalid_schema') => {
      provider.setFault({ route: 'responses', times: 1, kind });
      return (await toResponses()).body;
    };
    expect(await contentUnder('refusal')).toMatchObject({
      status: 'completed',
      output: [{ content: [{ type: 'refusal' }] }],
    });
    expect(await contentUnder('truncated')).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
    });
    expect(await contentUnder('content_filter')).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'content_filter' },
    });
    expect(await contentUnder('invalid_schema')).toMatchObject({ output: [{ content: [{ text: '{"answer":42}' }] }] });
    const malformed = await contentUnder('malformed');
    expect(malformed).toMatchObject({
      status: 'completed',
      output: [{ content: [{ text: expect.stringMatching(/^Sure!/) }] }],
    });
    expect((await toResponses()).body).toMatchObject({ status: 'completed' });
  });

  it.each([
    ['an unknown model', { model: 'gpt-3' }, 404, 'model_not_found', null],
    ['a temperature', { temperature: 0.2 }, 400, 'unsupported_value', 'temperature'],
    ['max_tokens', { max_tokens: 100 }, 400, 'unknown_parameter', 'max_tokens'],
    ['response_format', { response_format: {} }, 400, 'unknown_parameter', 'response_format'],
    ['no input', { input: undefined }, 400, 'missing_required_parameter', 'input'],
    [
      'an open object',
      { text: { format: { ...format, schema: { ...SCHEMA, additionalProperties: true } } } },
      400,
      'invalid_json_schema',
      'text.format.schema',
    ],
    [
      'an optional property',
      { text: { format: { ...format, schema: { ...SCHEMA, required: [] } } } },
      400,
      'invalid_json_schema',
      'text.format.schema',
    ],
    [
      'a list at the root',
      { text: { format: { ...format, schema: { type: 'array', items: SCHEMA } } } },
      400,
      'invalid_json_schema',
      'text.format.schema',
    ],
  ])('refuse %s', async (_, change, status, code, param) => {
    const answer = await toResponses(change);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ error: { code, param } });
  });

  it('take an optional property when the schema is not strict, and a temperature with older models', async () => {
    const loose = { text: { format: { ...format, strict: false, schema: { ...SCHEMA, required: [] } } } };
    expect((await toResponses(loose)).status).toBe(200);
    expect((await toResponses({ model: 'gpt-4.1-mini', temperature: 0.2 })).status).toBe(200);
  });
});

describe('chat completions', () => {
  it('answer with structured output in the shape of the API', async () => {
    const { status, body } = await toChat();
    expect(status).toBe(200);
    expect(body).toMatchObject({
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          finish_reason: 'stop',
          message: { role: 'assistant', refusal: null, content: JSON.stringify({ summary: SUMMARY }) },
        },
      ],
      usage: { total_tokens: expect.any(Number) },
    });
    expect(provider.requests.at(-1)).toMatchObject({ route: 'chat', dialogueId: dialogue.id });
  });

  it('are refused or cut on demand', async () => {
    provider.setFault({ route: 'chat', times: 1, kind: 'refusal' });
    provider.setFault({ route: 'chat', times: 1, kind: 'truncated' });
    expect((await toChat()).body).toMatchObject({
      choices: [{ message: { content: null, refusal: expect.any(String) }, finish_reason: 'stop' }],
    });
    expect((await toChat()).body).toMatchObject({ choices: [{ finish_reason: 'length' }] });
  });

  it('refuse what the other API or another model takes', async () => {
    expect((await toChat({ input: 'x' })).body).toMatchObject({ error: { code: 'unknown_parameter', param: 'input' } });
    expect((await toChat({ max_tokens: 5 })).body).toMatchObject({
      error: { code: 'unknown_parameter', param: 'max_tokens' },
    });
    expect((await toChat({ model: 'gpt-4o', max_tokens: 500 })).status).toBe(200);
  });
});
