import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { createPaidSteps, PermanentError, RetryLaterError } from '@pipeline/contracts';
import { answer, question, startProvider, type Answer } from './fixtures.ts';
import type { TextModelOptions } from './text-model.ts';

const never = new AbortController().signal;
const providerWith = (answers: readonly Answer[], more: Partial<TextModelOptions> = {}) => startProvider(answers, more);

const refusal = (status: number, error: object, headers?: Record<string, string>) => answer(status, { error }, headers);
const response = (content: object[], more: object = {}) =>
  answer(200, {
    id: 'resp_1',
    object: 'response',
    status: 'completed',
    output: [
      { type: 'reasoning', summary: [] },
      { type: 'message', role: 'assistant', content },
    ],
    usage: { input_tokens: 30, output_tokens: 5, total_tokens: 35 },
    ...more,
  });
const says = (text: string, more?: object) => response([{ type: 'output_text', text, annotations: [] }], more);
const good = says('{"words":"hello"}');

async function outcomeOf(asking: Promise<unknown>): Promise<string> {
  const failure: unknown = await asking.catch((error: unknown) => error);
  if (failure instanceof PermanentError) return failure.code;
  if (!(failure instanceof RetryLaterError)) return 'answered';
  if (failure.pause !== undefined) return `pause: ${failure.pause}`;
  return failure.retryAfterMs === undefined ? 'again' : `again in ${failure.retryAfterMs} ms`;
}

describe('the text model', () => {
  test('is asked for a strict form, keeps nothing, and is given no temperature', async () => {
    const { ask, seen } = await providerWith([good]);
    const usage = { requests: 1, inputTokens: 30, outputTokens: 5 };
    expect(await ask(question, never)).toEqual({ value: 'hello', usage });
    const format = { type: 'json_schema', name: 'greeting', strict: true, schema: question.schema };
    expect(seen.map(({ url, headers, body }) => ({ url, authorization: headers.authorization, body }))).toEqual([
      {
        url: '/v1/responses',
        authorization: 'Bearer sk-test',
        body: {
          model: 'gpt-6-luna',
          instructions: 'Greet.',
          input: 'caller: hi',
          text: { format },
          store: false,
          max_output_tokens: 99,
        },
      },
    ]);
  });

  test.each([
    ['B55 broken JSON', says('{"words":')],
    ['B56 JSON in fences', says('```json\n{"words":"hello"}\n```')],
    ['F62 a plain sentence', says('I am sorry, I cannot do that.')],
    ['F61 the wrong form', says('{"other":1}')],
    ['no words at all', response([])],
  ])('that says %s is asked once more, then the part fails', async (_name, bad) => {
    const repaired = await providerWith([bad, good]);
    expect(await repaired.ask(question, never)).toEqual({
      value: 'hello',
      usage: { requests: 2, inputTokens: 60, outputTokens: 10 },
    });
    expect(repaired.seen).toHaveLength(2);
    const hopeless = await providerWith([bad]);
    expect(await outcomeOf(hopeless.ask(question, never))).toBe('OUTPUT_INVALID');
    expect(hopeless.seen).toHaveLength(2);
  });

  test.each([
    ['a refusal', response([{ type: 'refusal', refusal: 'no' }]), 'PROVIDER_REFUSED'],
    [
      'filtered words',
      says('{"wo', { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }),
      'PROVIDER_REFUSED',
    ],
    [
      'B57 cut words',
      says('{"wo', { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }),
      'OUTPUT_TRUNCATED',
    ],
    ['cut words that read well', says('{"words":"hello"}', { status: 'incomplete' }), 'OUTPUT_TRUNCATED'],
    ['a failed response', says('', { status: 'failed', error: { code: 'server_error' } }), 'again'],
    [
      'a prompt that it does not take',
      says('', { status: 'failed', error: { code: 'invalid_prompt' } }),
      'PROVIDER_REJECTED',
    ],
    ['something else', answer(200, { choices: [] }), 'again'],
    ['200 and a page', (reply: ServerResponse) => void reply.writeHead(200).end('<html>'), 'again'],
    ['B60 3 MB', says('x'.repeat(3_000_000)), 'OUTPUT_INVALID'],
    ['400', refusal(400, { param: 'text' }), 'PROVIDER_REJECTED'],
    ['400 about the model', refusal(400, { code: 'model_not_found' }), 'pause: model'],
    ['401', refusal(401, {}), 'pause: credentials'],
    ['403', refusal(403, {}), 'pause: credentials'],
    ['404', refusal(404, {}), 'pause: model'],
    ['408', refusal(408, {}), 'again'],
    ['409', refusal(409, {}), 'again'],
    ['422', refusal(422, {}), 'PROVIDER_REJECTED'],
    ['429 with Retry-After', refusal(429, {}, { 'retry-after': '9' }), 'again in 9000 ms'],
    ['429 without quota', refusal(429, { code: 'insufficient_quota' }), 'pause: quota'],
    ['503', refusal(503, {}), 'again'],
    ['nothing', (reply: ServerResponse) => void reply.destroy(), 'again'],
  ] as [string, Answer, string][])('that answers %s has one meaning, asked once', async (_name, reply, outcome) => {
    const { ask, seen } = await providerWith([reply]);
    expect(await outcomeOf(ask(question, never))).toBe(outcome);
    expect(seen).toHaveLength(1);
  });

  test('that drips its answer is given up at the total deadline', async () => {
    const { ask } = await providerWith([(reply) => void reply.writeHead(200).write('{')], { timeoutMs: 100 });
    expect(await outcomeOf(ask(question, never))).toBe('again');
  });

  test('that our own shutdown ends says so', async () => {
    const stop = new AbortController();
    const { ask } = await providerWith([() => stop.abort(new Error('shutting down'))]);
    await expect(ask(question, stop.signal)).rejects.toThrow('shutting down');
  });

  test('B72 leaves out a count that is missing or wrong: it is not known, which is not the same as none', async () => {
    const { ask } = await providerWith([
      says('{"words":"hello"}', { usage: { input_tokens: -5, output_tokens: 'many' } }),
    ]);
    expect((await ask(question, never)).usage).toEqual({ requests: 1 });
  });
});

test.each([
  ['for now', refusal(503, { message: 'busy' }), { name: 'RetryLaterError' }],
  ['for good', refusal(400, { message: 'no' }), { name: 'PermanentError', code: 'PROVIDER_REJECTED' }],
])('an answer of another form whose second request fails %s has cost the first one', async (_name, second, failure) => {
  const { ask, seen } = await providerWith([says('sorry'), second]);
  const spent = { model: 'gpt-6-luna', usage: { requests: 1, inputTokens: 30, outputTokens: 5 } };
  await expect(ask(question, never)).rejects.toMatchObject({ ...failure, spent });
  expect(seen).toHaveLength(2);
});

test('a first request that fails has cost nothing that is known', async () => {
  const { ask } = await providerWith([refusal(503, { message: 'busy' })]);
  await expect(ask(question, never)).rejects.toMatchObject({ name: 'RetryLaterError', spent: undefined });
});

describe('a question that comes again', () => {
  test('F61 after an answer of another form and a repair that met 503s is asked for the repair alone', async () => {
    const busy = refusal(503, { message: 'busy' });
    const { ask, seen } = await providerWith([says('{"other":"secret"}'), busy, busy, good]);
    const outcomes = new Map<string, unknown>();
    const deliver = () => ask(question, never, createPaidSteps(outcomes));
    const spent = { model: 'gpt-6-luna', usage: { requests: 1, inputTokens: 30, outputTokens: 5 } };
    for (const _busy of [1, 2]) await expect(deliver()).rejects.toMatchObject({ name: 'RetryLaterError', spent });
    expect(JSON.stringify([...outcomes]), 'no word of an answer that cannot be used').not.toContain('secret');
    expect(await deliver()).toEqual({ value: 'hello', usage: { requests: 2, inputTokens: 60, outputTokens: 10 } });
    expect(seen.map(({ body }) => String(body['instructions']).includes('did not have the asked form'))).toEqual([
      false,
      true,
      true,
      true,
    ]);
    expect(await deliver(), 'what was answered is not asked for again').toMatchObject({ value: 'hello' });
    expect(seen).toHaveLength(4);
  });

  test.each([
    ['refused', response([{ type: 'refusal', refusal: 'no' }]), 'PROVIDER_REFUSED', 1],
    ['cut', says('{"wo', { status: 'incomplete' }), 'OUTPUT_TRUNCATED', 1],
    ['of another form twice', says('sorry'), 'OUTPUT_INVALID', 2],
  ] as const)('after an answer that was %s fails again, unpaid', async (_name, reply, code, requests) => {
    const { ask, seen } = await providerWith([reply]);
    const outcomes = new Map<string, unknown>();
    const usage = { requests, inputTokens: 30 * requests, outputTokens: 5 * requests };
    for (const _delivery of [1, 2]) {
      const asking = ask(question, never, createPaidSteps(outcomes));
      await expect(asking).rejects.toMatchObject({ code, spent: { usage } });
    }
    expect(seen).toHaveLength(requests);
  });

  test('and now wants another form does not take an answer of the old one', async () => {
    const { ask, seen } = await providerWith([good, says('{"number":7}')]);
    const outcomes = new Map<string, unknown>();
    await ask(question, never, createPaidSteps(outcomes));
    const read = (json: unknown) => (json !== null && typeof json === 'object' && 'number' in json ? 7 : undefined);
    expect((await ask({ ...question, read }, never, createPaidSteps(outcomes))).value).toBe(7);
    expect(seen).toHaveLength(2);
  });
});
