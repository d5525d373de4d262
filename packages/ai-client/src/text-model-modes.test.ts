import { describe, expect, test } from 'vitest';
import { PermanentError } from '@pipeline/contracts';
import { answer, question, startProvider, type Answer } from './fixtures.ts';
import type { TextModelOptions } from './text-model.ts';

const never = new AbortController().signal;
const serverWith = (answers: readonly Answer[], more: Partial<TextModelOptions>) =>
  startProvider(answers, { apiKey: 'key-of-test', model: 'qwen', ...more });
const says = (content: string | null, more: object = {}, usage: object | null = null) =>
  answer(200, {
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content }, ...more }],
    ...(usage === null ? {} : { usage }),
  });
const counted = { prompt_tokens: 30, completion_tokens: 5 };
const failureOf = async (asking: Promise<unknown>): Promise<PermanentError> => {
  const failure: unknown = await asking.catch((error: unknown) => error);
  if (!(failure instanceof PermanentError)) throw new Error('it did not fail for good', { cause: failure });
  return failure;
};

describe('a server that speaks chat completions', () => {
  test('is asked with a system and a user message, and for a strict form where it has one', async () => {
    const { ask, seen } = await serverWith([says('{"words":"hello"}', {}, counted)], { api: 'chat' });
    const usage = { requests: 1, inputTokens: 30, outputTokens: 5 };
    expect(await ask(question, never)).toEqual({ value: 'hello', usage });
    const schema = { name: 'greeting', strict: true, schema: question.schema };
    expect(seen.map(({ url, body }) => ({ url, body }))).toEqual([
      {
        url: '/v1/chat/completions',
        body: {
          model: 'qwen',
          messages: [
            { role: 'system', content: 'Greet.' },
            { role: 'user', content: 'caller: hi' },
          ],
          max_completion_tokens: 99,
          response_format: { type: 'json_schema', json_schema: schema },
        },
      },
    ]);
  });

  test.each([
    ['object', { type: 'json_object' }],
    ['prompt', undefined],
  ] as const)('and enforces only %s is told the schema in words', async (form, format) => {
    const { ask, seen } = await serverWith([says('{"words":"hello"}')], { api: 'chat', form });
    await ask(question, never);
    expect(seen[0]?.body['response_format']).toEqual(format);
    const [system] = (seen[0]?.body['messages'] ?? []) as { content: string }[]; // As the body was just compared.
    expect(system?.content.split('\n').at(-1)).toBe(JSON.stringify(question.schema));
  });

  test.each([
    ['in a fence', '```json\n{"words":"hello"}\n```'],
    ['in a sentence', 'Sure! {"words":"hello"} Anything else?'],
    ['after thinking aloud', '<think>maybe {"words":"no"}</think>\n{"words":"hello"}'],
  ])('and enforces nothing is understood %s, without a second request (B56)', async (_name, text) => {
    const { ask, seen } = await serverWith([says(text)], { api: 'chat', form: 'prompt' });
    expect(await ask(question, never)).toMatchObject({ value: 'hello' });
    expect(seen).toHaveLength(1);
  });

  test('and knows the limit of tokens by its older name is asked by that one, found out once', async () => {
    const unknown = answer(400, { error: { message: "Unknown parameter: 'max_completion_tokens'.", param: null } });
    const { ask, seen } = await serverWith([unknown, says('{"words":"hello"}')], { api: 'chat' });
    await ask(question, never);
    await ask(question, never);
    expect(seen.map(({ body }) => [body['max_completion_tokens'], body['max_tokens']])).toEqual([
      [99, undefined],
      [undefined, 99],
      [undefined, 99],
    ]);
  });

  test.each([
    ['a refusal', says(null, { message: { refusal: 'no' } }, counted), 'PROVIDER_REFUSED'],
    ['filtered words', says('', { finish_reason: 'content_filter' }, counted), 'PROVIDER_REFUSED'],
    ['cut words', says('{"wo', { finish_reason: 'length' }, counted), 'OUTPUT_TRUNCATED'],
  ])('and answers %s fails its part, and says what that cost', async (_name, reply, code) => {
    const { ask } = await serverWith([reply], { api: 'chat' });
    const { spent, code: given } = await failureOf(ask(question, never));
    expect(given).toBe(code);
    expect(spent).toEqual({ model: 'qwen', usage: { requests: 1, inputTokens: 30, outputTokens: 5 } });
  });

  test('and counts only the first of two requests has counted nothing, for half a sum is none', async () => {
    const { ask } = await serverWith([says('sorry', {}, counted), says('{"words":"hello"}')], { api: 'chat' });
    expect(await ask(question, never)).toEqual({ value: 'hello', usage: { requests: 2 } });
  });
});

describe('Azure', () => {
  test('is shown the key in its own header and nowhere else', async () => {
    const { ask, seen } = await serverWith([says('{"words":"hello"}')], { api: 'chat', keyHeader: 'api-key' });
    await ask(question, never);
    expect(seen[0]?.headers).toMatchObject({ 'api-key': 'key-of-test' });
    expect(seen[0]?.headers).not.toHaveProperty('authorization');
  });

  test('that filters a prompt refuses it: the part fails once, as refused', async () => {
    const filtered = answer(400, { error: { code: 'content_filter', message: 'filtered', param: 'prompt' } });
    const { ask, seen } = await serverWith([filtered], { api: 'responses' });
    expect((await failureOf(ask(question, never))).code).toBe('PROVIDER_REFUSED');
    expect(seen).toHaveLength(1);
  });
});
