import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startAiProvider, type AiProvider } from './ai-provider.ts';
import { API_KEY, ask, speech, transcribe } from './test-client.ts';

let provider: AiProvider;
beforeEach(async () => {
  provider = await startAiProvider({ dialogues: [], apiKey: API_KEY });
});
afterEach(() => provider.close());

const question = { model: 'gpt-6-luna', input: 'caller: a leak in Boston' };

describe('the AI provider', () => {
  it('lets only its key in, on every route', async () => {
    for (const authorization of ['', 'Bearer', `Bearer ${API_KEY}x`, `Basic ${API_KEY}`]) {
      const headers = { authorization };
      for (const path of ['/models', '/responses', '/audio/transcriptions']) {
        const answer = await fetch(`${provider.url}${path}`, { method: path === '/models' ? 'GET' : 'POST', headers });
        expect(answer.status).toBe(401);
        expect(await answer.json()).toMatchObject({
          error: { code: 'invalid_api_key', type: 'invalid_request_error' },
        });
      }
    }
    expect(provider.requests).toEqual([]);
  });

  it('lists its models with the day on which they leave', async () => {
    const { body } = await ask(provider, '/models');
    const rows = [
      {
        id: 'whisper-1',
        object: 'model',
        created: expect.any(Number),
        owned_by: 'openai',
        shutdown_date: '2027-02-26',
      },
      expect.objectContaining({ id: 'gpt-transcribe', shutdown_date: null }),
    ];
    expect(body).toMatchObject({ object: 'list', data: expect.arrayContaining(rows) });
    expect((await ask(provider, '/models/gpt-4o')).body).toMatchObject({ id: 'gpt-4o', shutdown_date: '2027-01-14' });
    expect((await ask(provider, '/models/none')).status).toBe(404);
  });

  it('answers a wrong URL, a body that is no JSON and one that is too large in the form of the API', async () => {
    expect((await ask(provider, '/answers', {})).body).toMatchObject({
      error: { message: 'Invalid URL (POST /v1/answers)' },
    });
    const headers = { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' };
    const post = (body: string) => fetch(`${provider.url}/responses`, { method: 'POST', headers, body });
    const broken = await post('{');
    expect(broken.status).toBe(400);
    expect(await broken.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
    expect((await post(JSON.stringify({ ...question, input: 'x'.repeat(9_000_000) }))).status).toBe(413);
  });
});

describe('a fault', () => {
  it('answers its status, code and Retry-After as often as it was told, then no more', async () => {
    provider.setFault({
      route: 'responses',
      kind: 'status',
      status: 429,
      code: 'insufficient_quota',
      retryAfter: 7,
      times: 2,
    });
    for (const status of [429, 429, 200]) {
      const answer = await ask(provider, '/responses', question);
      expect(answer.status).toBe(status);
      expect(answer.headers.get('retry-after')).toBe(status === 429 ? '7' : null);
    }
    expect(provider.requests.map((request) => request.status)).toEqual([429, 429, 200]);
  });

  it('strikes only the route, model and text that it is for, until it is removed', async () => {
    const remove = provider.setFault({
      route: 'responses',
      match: { model: 'gpt-6-luna', textIncludes: 'leak' },
      kind: 'status',
      status: 500,
    });
    expect((await ask(provider, '/responses', question)).status).toBe(500);
    expect((await ask(provider, '/responses', { ...question, input: 'caller: paint' })).status).toBe(200);
    expect((await ask(provider, '/responses', { ...question, model: 'gpt-6.1-sol' })).status).toBe(200);
    expect((await transcribe(provider, speech('a leak'))).status).toBe(200);
    remove();
    expect((await ask(provider, '/responses', question)).status).toBe(200);
  });

  it('strikes a transcription by what is heard in it', async () => {
    provider.setFault({ route: 'transcriptions', match: { textIncludes: 'leak' }, kind: 'status', status: 503 });
    expect((await transcribe(provider, speech('a leak'))).status).toBe(503);
    expect((await transcribe(provider, speech('paint'))).status).toBe(200);
  });

  it.each(['malformed', 'invalid_schema', 'truncated'] as const)('%s spoils a transcription', async (kind) => {
    provider.setFault({ route: 'transcriptions', kind });
    const { status, body } = await transcribe(provider, speech('a leak'));
    const spoiled = {
      malformed: '{"text": "',
      invalid_schema: { transcript: 42 },
      truncated: expect.objectContaining({ text: 'a l' }),
    };
    expect(status).toBe(200);
    expect(body).toEqual(spoiled[kind]);
  });

  it('cuts the connection', async () => {
    provider.setFault({ route: 'responses', kind: 'disconnect', times: 1 });
    await expect(ask(provider, '/responses', question)).rejects.toThrow('fetch failed');
    expect(provider.requests.at(-1)?.status).toBeNull();
    expect((await ask(provider, '/responses', question)).status).toBe(200);
  });

  it('gives no answer, or no end of it, and does not keep the provider from closing', async () => {
    provider.setFault({ route: 'responses', kind: 'hang', times: 1 });
    provider.setFault({ route: 'responses', kind: 'timeout', times: 1 });
    provider.setFault({ route: 'responses', kind: 'delay', ms: 3_600_000, times: 1 });
    const waiting = [1, 2, 3].map(() => ask(provider, '/responses', question).catch(() => 'cut off'));
    await expect.poll(() => provider.requests.length).toBe(3);
    await provider.close();
    expect(await Promise.all(waiting)).toEqual(['cut off', 'cut off', 'cut off']);
  });

  it('delays the right answer', async () => {
    provider.setFault({ route: 'responses', kind: 'delay', ms: 30 });
    const from = performance.now();
    expect((await ask(provider, '/responses', question)).status).toBe(200);
    expect(performance.now() - from).toBeGreaterThanOrEqual(29);
  });
});
