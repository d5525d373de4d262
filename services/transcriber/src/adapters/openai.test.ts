import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { PermanentError, RetryLaterError } from '@pipeline/contracts';
import { speechOf } from '../fixtures.ts';
import type { SpeechRequest } from '../speech-to-text.ts';
import { createSpeechToText, type SpeechToTextOptions } from './openai.ts';

const AUDIO = new TextEncoder().encode('RIFF audio');
const never = new AbortController().signal;
const request: SpeechRequest = { audio: speechOf(AUDIO), language: 'ar-EG', keywords: ['Acme', 'سباكة'] };

type Form = Record<string, string[]>;
type Answer = (response: ServerResponse, form: Form) => void;
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A provider that gives its answers one after another, the last one again and again. */
async function providerWith(answers: Answer[], more: Partial<SpeechToTextOptions> = {}) {
  const forms: Form[] = [];
  const server = createServer((incoming, response) => {
    const answered = async (): Promise<void> => {
      const form = await readForm(incoming);
      forms.push(form);
      (answers[forms.length - 1] ?? answers.at(-1))?.(response, form);
    };
    void answered();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // Bound to a port, so it is an address and no pipe.
  closers.push(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  const options = { apiKey: 'sk-test', model: 'gpt-transcribe', timeoutMs: 5_000, concurrency: 2, ...more };
  return { transcribe: createSpeechToText({ baseUrl: `http://127.0.0.1:${port}/v1`, ...options }), forms };
}

async function readForm(incoming: IncomingMessage): Promise<Form> {
  const body = await buffer(incoming);
  const headers = { 'content-type': incoming.headers['content-type'] ?? '' };
  // Not every server takes a body whose length it was not told.
  if (Number(incoming.headers['content-length']) !== body.length) throw new Error('another length than was told');
  const fields: Form = { url: [incoming.url ?? ''], authorization: [incoming.headers.authorization ?? ''] };
  for (const [name, value] of await new Response(body, { headers }).formData()) {
    const text = typeof value === 'string' ? value : `${value.name} ${value.type} ${await value.text()}`;
    (fields[name] ??= []).push(text);
  }
  return fields;
}

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
const refusal = (status: number, error: object, headers?: Record<string, string>) => json(status, { error }, headers);
const dripping: Answer = (response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{');
const heard = json(200, { text: 'hello', languages: [{ code: 'ar' }], usage: { type: 'duration', seconds: 2 } });

async function outcomeOf(asking: Promise<unknown>): Promise<string> {
  const failure: unknown = await asking.catch((error: unknown) => error);
  if (failure instanceof PermanentError) return failure.code;
  if (!(failure instanceof RetryLaterError)) return 'heard';
  if (failure.pause !== undefined) return `pause: ${failure.pause}`;
  return failure.retryAfterMs === undefined ? 'again' : `again in ${failure.retryAfterMs} ms`;
}

describe('speech to text', () => {
  test('sends one WAV file with the model, the language and the keywords', async () => {
    const { transcribe, forms } = await providerWith([heard]);
    expect(await transcribe(request, never)).toEqual({ text: 'hello', language: 'ar', usage: { audioSeconds: 2 } });
    expect(forms).toEqual([
      {
        url: ['/v1/audio/transcriptions'],
        authorization: ['Bearer sk-test'],
        file: ['speech.wav audio/wav RIFF audio'],
        model: ['gpt-transcribe'],
        response_format: ['json'],
        'languages[]': ['ar'],
        'keywords[]': ['Acme', 'سباكة'],
      },
    ]);
  });

  test('sends an older model the one language that it takes, and no keywords', async () => {
    const { transcribe, forms } = await providerWith([json(200, { text: 'hello' })], { model: 'whisper-1' });
    expect(await transcribe(request, never)).toEqual({ text: 'hello', language: null, usage: { audioSeconds: 0 } });
    expect(forms[0]).toMatchObject({ language: ['ar'] });
    expect(forms[0]).not.toHaveProperty('languages[]');
    expect(forms[0]).not.toHaveProperty('keywords[]');
  });

  test.each([
    ['languages', ['languages[]', 'keywords[]']],
    ['language', ['language']],
    ['none', []],
  ] as const)('sends a server that takes %s as hints those and no others', async (hints, names) => {
    const { transcribe, forms } = await providerWith([json(200, { text: 'hello' })], { model: 'own', hints });
    await transcribe(request, never);
    const sent = Object.keys(forms[0] ?? {}).filter((name) => /language|keyword/.test(name));
    expect(sent).toEqual([...names]);
  });

  test('counts the seconds of what it sent where the provider does not', async () => {
    const { transcribe } = await providerWith([json(200, { text: 'hello' })]);
    expect((await transcribe({ ...request, audio: speechOf(AUDIO, 1.5) }, never)).usage).toEqual({ audioSeconds: 1.5 });
  });

  test.each([[[{ code: 'x'.repeat(33) }]], [[{ code: 5 }]], [['ar']], ['ar'], [null]])(
    'does not know the language by %j, and keeps the words',
    async (languages) => {
      const { transcribe } = await providerWith([json(200, { text: 'hello', languages })]);
      expect(await transcribe(request, never)).toMatchObject({ text: 'hello', language: null });
    },
  );

  test('asks once without the language when the model does not know it, and remembers', async () => {
    const { transcribe, forms } = await providerWith([refusal(400, { param: 'languages[0]', message: 'no' }), heard]);
    await transcribe(request, never);
    await transcribe(request, never);
    expect(forms.map((form) => form['languages[]'])).toEqual([['ar'], undefined, undefined]);
  });

  test('keeps the language as a hint when the 400 was about something else', async () => {
    const broken = refusal(400, { param: null, message: 'bad audio' });
    const { transcribe, forms } = await providerWith([broken, broken, broken, heard]);
    expect(await outcomeOf(transcribe(request, never))).toBe('PROVIDER_REJECTED');
    await transcribe(request, never);
    expect(forms.map((form) => form['languages[]'])).toEqual([['ar'], undefined, undefined, ['ar']]);
    expect(forms.map((form) => form['keywords[]']?.length)).toEqual([2, 2, undefined, 2]);
  });

  test.each([['keywords[0]'], [null]])(
    'asks once without the keywords that the model refuses (param %s), remembers it for those, and says so',
    async (param) => {
      const answer: Answer = (response, form) =>
        (form['keywords[]']?.includes('סתום') ? refusal(400, { param, message: 'Invalid' }) : heard)(response, form);
      const { transcribe, forms } = await providerWith([answer]);
      const told: string[] = [];
      const refused = { ...request, keywords: ['Acme', 'סתום'], onRefusedHint: (hint: string) => told.push(hint) };
      for (const _time of [1, 2]) expect(await transcribe(refused, never)).toMatchObject({ text: 'hello' });
      const before = forms.length;
      await transcribe(request, never);
      expect(told).toEqual(['keywords']);
      expect(forms.slice(before - 1).map((form) => form['keywords[]'])).toEqual([undefined, ['Acme', 'سباكة']]);
      expect(forms.slice(before - 1).map((form) => form['languages[]'])).toEqual([['ar'], ['ar']]);
      expect(forms).toHaveLength(param === null ? 5 : 4);
    },
  );

  test('counts tokens where the provider does', async () => {
    const usage = { type: 'tokens', input_tokens: 7, output_tokens: 2, total_tokens: 9 };
    const { transcribe } = await providerWith([json(200, { text: 'hi', usage })]);
    expect(await transcribe(request, never)).toMatchObject({ usage: { inputTokens: 7, outputTokens: 2 } });
  });

  test.each([
    ['400', refusal(400, { param: 'file', message: 'no' }), 'PROVIDER_REJECTED'],
    ['400 about the model', refusal(400, { param: 'model', code: 'model_not_found' }), 'pause: model'],
    ['400 of a content filter', refusal(400, { param: null, code: 'content_filter' }), 'PROVIDER_REFUSED'],
    ['401', refusal(401, { code: 'invalid_api_key' }), 'pause: credentials'],
    ['403', refusal(403, {}), 'pause: credentials'],
    ['404', refusal(404, {}), 'pause: model'],
    ['408', refusal(408, {}), 'again'],
    ['409', refusal(409, {}), 'again'],
    ['422', refusal(422, {}), 'PROVIDER_REJECTED'],
    ['429 with Retry-After', refusal(429, { code: 'rate_limit' }, { 'retry-after': '9' }), 'again in 9000 ms'],
    ['429 without quota', refusal(429, { code: 'insufficient_quota' }), 'pause: quota'],
    ['500', refusal(500, {}), 'again'],
    ['503 and a page', (response: ServerResponse) => void response.writeHead(503).end('<html>'), 'again'],
    ['200 and a page', (response: ServerResponse) => void response.writeHead(200).end('<html>'), 'again'],
    ['200 without text', json(200, { languages: [] }), 'OUTPUT_INVALID'],
    ['nothing', (response: ServerResponse) => void response.destroy(), 'again'],
    ['2 MB of text', json(200, { text: 'x'.repeat(2_000_000) }), 'OUTPUT_INVALID'],
  ] as [string, Answer, string][])('that answers %s has one meaning, asked once', async (_name, answer, outcome) => {
    const { transcribe, forms } = await providerWith([answer]);
    expect(await outcomeOf(transcribe(request, never))).toBe(outcome);
    expect(forms).toHaveLength(1);
  });

  test('that drips its answer is given up at the total deadline', async () => {
    const { transcribe } = await providerWith([dripping], { timeoutMs: 100 });
    expect(await outcomeOf(transcribe(request, never))).toBe('again');
  });

  test('that our own shutdown ends says so', async () => {
    const stop = new AbortController();
    const { transcribe } = await providerWith([() => stop.abort(new Error('shutting down'))]);
    await expect(transcribe(request, stop.signal)).rejects.toThrow('shutting down');
  });

  test('reads no audio before its turn has come', async () => {
    const waiting: ServerResponse[] = [];
    const { transcribe } = await providerWith([(response) => void waiting.push(response)], { concurrency: 1 });
    let reads = 0;
    const counted = { ...request, audio: { ...speechOf(AUDIO), read: () => ((reads += 1), speechOf(AUDIO).read()) } };
    const stop = new AbortController();
    const all = Promise.allSettled([transcribe(counted, stop.signal), transcribe(counted, stop.signal)]);
    await expect.poll(() => waiting.length).toBe(1);
    expect(reads).toBe(1);
    stop.abort();
    await all;
    expect(reads).toBe(1);
  });
});
