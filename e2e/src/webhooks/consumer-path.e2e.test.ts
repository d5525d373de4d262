import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runOperator } from '../stack/operator.ts';
import { eventually, startStack, type Stack } from '../stack/stack.ts';

/** The path that docs/webhooks leads a new consumer: settings, a receiver, a test event, verify, replay, rotate. */
const SECRET = `whsec_${randomBytes(32).toString('base64')}`;
let stack: Stack;
let folder: string;
let origin: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'consumer-'));
  origin = `http://127.0.0.1:${await freePort()}`;
  stack = await startStack({
    services: ['webhook-dispatcher'],
    shared: { WEBHOOK_SECRET: SECRET },
    webhookOrigins: [origin],
  });
});
afterAll(async () => {
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
});

it('a new consumer gets from settings to a verified test event, a replay of it, and a new secret', async () => {
  const set = await callctl(['settings', 'set', '-'], JSON.stringify(SETTINGS(`${origin}/calls`)));
  expect(set).toMatchObject({ code: 0, output: 'stored the settings of business biz_consumer\n' });
  const port = new URL(origin).port;
  const listening = callctl(['webhooks', 'listen', '--json', '--port', port, '--count', '2', '--save', folder]);
  await eventually('the receiver listens', () => answers(origin), 60_000);

  const test = await callctl(['webhooks', 'test', 'biz_consumer', '--json']);
  expect(test.code).toBe(0);
  const { id, state, attempt } = JSON.parse(test.output);
  expect({ state, code: attempt.code, status: attempt.httpStatus }).toEqual({
    state: 'delivered',
    code: 'delivered',
    status: 204,
  });

  await eventually('the request is saved', async () => (await readdir(folder)).length > 0);
  const saved = join(folder, 'webhook-0001.http');
  expect(await callctl(['webhooks', 'verify', saved])).toMatchObject({ code: 0 });
  const spoiled = (await readFile(saved, 'utf8')).replace('biz_consumer', 'biz_somebody');
  const refused = await callctl(['webhooks', 'verify', '-'], spoiled);
  expect(refused).toMatchObject({ code: 1, output: expect.stringContaining('signature_mismatch') });

  expect(await callctl(['webhooks', 'replay', id])).toMatchObject({ code: 0 });
  const { code, output } = await listening;
  expect(code).toBe(0);
  expect(
    output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toMatchObject([
    { valid: true, id, event: 'webhook.test', seen: false },
    { valid: true, id, event: 'webhook.test', seen: true },
  ]);

  const rotated = await callctl(['webhooks', 'rotate-secret', 'biz_consumer', '--json']);
  expect(JSON.parse(rotated.output).secret).toMatch(/^whsec_/);
  const again = callctl(['webhooks', 'listen', '--json', '--port', port, '--count', '1']);
  await eventually('the receiver listens', () => answers(origin), 60_000);
  expect((await callctl(['webhooks', 'test', 'biz_consumer'])).code).toBe(0);
  // It still holds the old secret, which signs too until the overlap is over.
  expect(JSON.parse((await again).output)).toMatchObject({ valid: true });
});

it('an endpoint that refuses a test is told with its answer, and ends with 1', async () => {
  const set = await callctl(['settings', 'set', '-'], JSON.stringify(SETTINGS(`${origin}/calls`)));
  expect(set.code).toBe(0);
  const failing = callctl(['webhooks', 'listen', '--port', new URL(origin).port, '--count', '1', '--answer', '503']);
  await eventually('the receiver listens', () => answers(origin), 60_000);
  const { code, output } = await callctl(['webhooks', 'test', 'biz_consumer']);
  expect(code).toBe(1);
  expect(output).toContain('HTTP 503, http_5xx');
  expect((await failing).code).toBe(0);
});

const callctl = (args: readonly string[], input = '') => runOperator(args, 'callctl', stack.surroundings, input);

const SETTINGS = (url: string): object => ({
  id: 'biz_consumer',
  name: 'Consumer',
  agent: { instructions: 'Help.', greeting: 'שלום' },
  inbound_webhook_url: url,
  webhook_secrets: [SECRET],
});

/** Any answer will do: a GET is refused with 405 and is counted as no webhook. */
async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false,
  );
}

/** Whoever listens next takes it; between the two nobody else asks for this very port. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
