import { afterEach, beforeEach, expect, test } from 'vitest';
import { Webhook } from 'standardwebhooks';
import { request } from 'undici';
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const OLD_SECRET = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
const BODY = '{"event_type":"call.completed","city":"תל אביב"}';

let receiver: WebhookReceiver;
beforeEach(async () => {
  receiver = await startWebhookReceiver({ secrets: [SECRET, OLD_SECRET] });
});
afterEach(() => receiver.close());

function send(
  options: { id?: string; secret?: string; body?: string; sent?: string; at?: Date; timeoutMs?: number } = {},
) {
  const { id = 'msg_1', secret = SECRET, body = BODY, sent = body, at = new Date(), timeoutMs = 5_000 } = options;
  return request(receiver.url, {
    method: 'POST',
    body: sent,
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': new Webhook(secret).sign(id, at, body),
    },
    signal: AbortSignal.timeout(timeoutMs),
  });
}

test('keeps the raw bytes of a signed webhook and finds its signature valid', async () => {
  const { statusCode } = await send();
  expect(statusCode).toBe(204);
  expect(receiver.received).toHaveLength(1);
  expect(receiver.received[0]).toMatchObject({ webhookId: 'msg_1', verified: true, reason: null, status: 204 });
  expect(receiver.received[0]?.rawBody.toString()).toBe(BODY);
});

test('accepts a signature by any of its secrets', async () => {
  await send({ secret: OLD_SECRET });
  expect(receiver.received[0]?.verified).toBe(true);
});

test('tells a changed body, a foreign secret and an old timestamp from a valid webhook', async () => {
  await send({ sent: BODY.replace('תל', 'בת') });
  await send({ secret: `whsec_${Buffer.alloc(32, 9).toString('base64')}` });
  await send({ at: new Date(Date.now() - 301_000) });
  expect(receiver.received.map((webhook) => webhook.verified)).toEqual([false, false, false]);
  expect(receiver.received.every((webhook) => webhook.reason !== null)).toBe(true);
});

test('answers by a rule that sees the webhook and how often it came', async () => {
  receiver.respond((_webhook, count) => (count < 3 ? { status: 503, headers: { 'retry-after': '7' } } : 200));
  const first = await send();
  expect(first.statusCode).toBe(503);
  expect(first.headers['retry-after']).toBe('7');
  expect((await send()).statusCode).toBe(503);
  expect((await send()).statusCode).toBe(200);
  expect((await send({ id: 'msg_2' })).statusCode).toBe(503);
});

test('a hanging endpoint takes the webhook and never answers', async () => {
  receiver.respond({ kind: 'hang' });
  await expect(send({ timeoutMs: 200 })).rejects.toThrow(/timeout/i);
  expect(receiver.received[0]).toMatchObject({ verified: true, status: null });
});

test('a dropped connection is an error of the network for the sender', async () => {
  receiver.respond({ kind: 'drop' });
  await expect(send()).rejects.toThrow(/other side closed|reset/i);
});

test('a dripping body keeps the sender reading until its own deadline', async () => {
  receiver.respond({ status: 200, body: 'x'.repeat(1_000), dripMs: 20 });
  const response = await send({ timeoutMs: 300 });
  expect(response.statusCode).toBe(200);
  await expect(response.body.text()).rejects.toThrow(/timeout/i);
});

test('a big body is sent whole', async () => {
  receiver.respond({ status: 200, body: { bytes: 3_000_001 } });
  const bytes = await (await send()).body.arrayBuffer();
  expect(bytes.byteLength).toBe(3_000_001);
});

test('an answer can be late', async () => {
  receiver.respond({ status: 200, delayMs: 80 });
  const from = performance.now();
  await send();
  expect(performance.now() - from).toBeGreaterThanOrEqual(75);
});

test('a body above the cap is refused and not kept', async () => {
  const outcome = await send({ sent: 'x'.repeat(5 * 1024 * 1024) }).then(
    (response) => response.statusCode,
    () => 'cut',
  );
  expect([413, 'cut']).toContain(outcome);
  expect(receiver.received).toHaveLength(0);
});

test('waitFor finds a past and a coming webhook, and says what came instead', async () => {
  await send({ id: 'msg_past' });
  await expect(receiver.waitFor((webhook) => webhook.webhookId === 'msg_past', 10)).resolves.toBeDefined();
  const coming = receiver.waitFor((webhook, all) => webhook.webhookId === 'msg_next' && all.length === 2, 5_000);
  await send({ id: 'msg_next' });
  expect((await coming).webhookId).toBe('msg_next');
  await expect(receiver.waitFor(() => false, 10)).rejects.toThrow(/no fitting webhook.*2, the last.*msg_next/);
});

test('a stopped receiver refuses connections, and the same port answers after start', async () => {
  const { url } = receiver;
  await send();
  await receiver.stop();
  await expect(send()).rejects.toThrow(/ECONNREFUSED/);
  await receiver.start();
  expect(receiver.url).toBe(url);
  expect((await send()).statusCode).toBe(204);
  expect(receiver.received).toHaveLength(2);
});

test('close ends waiting calls and open connections', async () => {
  receiver.respond({ kind: 'hang' });
  const hanging = send({ timeoutMs: 60_000 }).catch((error: unknown) => error);
  const waiting = receiver.waitFor((webhook) => webhook.webhookId === 'never', 60_000).catch((error: unknown) => error);
  await receiver.waitFor(() => true, 5_000);
  await receiver.close();
  expect(await waiting).toBeInstanceOf(Error);
  expect(String(await hanging)).toMatch(/other side closed|reset/);
});
