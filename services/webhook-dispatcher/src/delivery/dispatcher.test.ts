import { businessSettingsSchema, type FullSettings } from '@pipeline/contracts';
import {
  connectStore,
  createDeliveryStore,
  provisionDeliveries,
  STOPPING,
  type DeliveryStore,
  type Store,
} from '@pipeline/call-store/deliveries';
import { startWebhookReceiver, type WebhookReceiver } from '@pipeline/sandbox';
import { startMongo, type RunningMongo } from '@pipeline/sandbox/servers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAddressPolicy, createEndpoint, createResolver, createUrlPolicy, type Resolve } from '@pipeline/egress';
import { createTestLogger, type LogLine } from '../fixtures/log.ts';
import { startSilentNameServer } from '../fixtures/silent-name-server.ts';
import type { FrozenWebhook } from '../handler.ts';
import { createDispatcher, type Dispatcher, type DispatcherOptions } from './dispatcher.ts';

const SECRET = 'whsec_cGVyZmVjdC1jYWxsLXBpcGVsaW5lLXRlc3Qta2V5LTA=';
const NEW_SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const URL_SET = { ratePerSecond: null, maxInFlight: null };
const never = new AbortController().signal;
const running: Dispatcher[] = [];
let server: RunningMongo;
let store: Store;
let deliveries: DeliveryStore;
let receiver: WebhookReceiver;
/** What settings of businesses say otherwise by now. */
let changed: Partial<FullSettings> = {};
/** Where endpoints are that are not at the receiver. */
const urls = new Map<string, string>();
let calls = 0;
/** Each test has an endpoint of its own: its health stays when the test is over. */
let business = '';
let tests = 0;

beforeAll(async () => {
  server = await startMongo();
  const { user, password } = server.root;
  const config = { MONGO_URL: server.url, MONGO_USER: user, MONGO_PASSWORD: password, MONGO_DB_PREFIX: 'dispatcher-' };
  store = await connectStore({ config, instance: 'test', logger: createTestLogger([]) });
  await provisionDeliveries(store, never);
  deliveries = createDeliveryStore(store);
});
afterAll(async () => {
  await store?.close();
  await server?.stop();
});
beforeEach(async () => {
  business = `biz_own_${(tests += 1)}`;
  receiver = await startWebhookReceiver({ secrets: [SECRET] });
});
afterEach(async () => {
  vi.useRealTimers();
  changed = {};
  await Promise.all(running.splice(0).map((dispatcher) => dispatcher.stop()));
  await receiver.close();
});

describe('a frozen webhook', () => {
  it('is sent at once, verified by the receiver, and remembered with its attempt', async () => {
    const lines: LogLine[] = [];
    const dispatcher = start({ lines, WEBHOOK_POLL_MS: 60_000 });
    const webhook = webhookOf();
    expect(await dispatcher.freeze(webhook, URL_SET, never)).toBe('inserted');
    const received = await receiver.waitFor(byId(webhook), 10_000);
    expect(received).toMatchObject({
      verified: true,
      method: 'POST',
      headers: { 'webhook-attempt': '1', 'content-type': 'application/json' },
    });
    expect(received.rawBody.equals(Buffer.from(webhook.body))).toBe(true);
    await state(webhook, 'delivered');
    expect(await attemptsOf(webhook)).toMatchObject([
      { number: 1, code: 'delivered', httpStatus: 204, address: '127.0.0.1', state: 'delivered' },
    ]);
    expect(lines.map((line) => line.message)).toContain(`[WEBHOOK] 📤 Sending webhook for call ${webhook.callSid}`);
    expect(lines.map((line) => line.message)).toContain('[WEBHOOK] ✅ Webhook sent successfully');
  });

  it('that is frozen twice is one row and sent once', async () => {
    const dispatcher = start({});
    const webhook = webhookOf();
    const both = await Promise.all([
      dispatcher.freeze(webhook, URL_SET, never),
      dispatcher.freeze(webhook, URL_SET, never),
    ]);
    expect(both.toSorted()).toEqual(['exists', 'inserted']);
    await state(webhook, 'delivered');
    expect(receiver.received.filter(byId(webhook))).toHaveLength(1);
    expect(await dispatcher.frozenRevisions(webhook.callSid ?? '', business, never)).toEqual([1]);
    expect(await dispatcher.frozenRevisions(webhook.callSid, 'biz_other', never)).toEqual([]);
  });

  it('without an endpoint waits and is not sent', async () => {
    const dispatcher = start({});
    const webhook = webhookOf();
    await dispatcher.freeze(webhook, null, never);
    const marker = webhookOf();
    await dispatcher.freeze(marker, URL_SET, never);
    await state(marker, 'delivered');
    await state(webhook, 'no_endpoint');
    expect(receiver.received.filter(byId(webhook))).toHaveLength(0);
  });

  it('reaches a receiver that was down, with the same id and the same bytes', async () => {
    await receiver.stop();
    const dispatcher = start({});
    const webhook = webhookOf();
    await dispatcher.freeze(webhook, URL_SET, never);
    await expect.poll(async () => (await rowOf(webhook)).attempts).toBeGreaterThanOrEqual(2);
    receiver.respond((_webhook, count) => (count < 2 ? 503 : 204));
    await receiver.start();
    await state(webhook, 'delivered');
    const received = receiver.received.filter(byId(webhook));
    expect(received.map((one) => one.status)).toEqual([503, 204]);
    expect(received.every((one) => one.verified && one.rawBody.equals(Buffer.from(webhook.body)))).toBe(true);
    const attempts = await attemptsOf(webhook);
    expect(attempts.map((attempt) => attempt.number)).toEqual(attempts.map((_, index) => index + 1));
    expect(new Set(attempts.map((attempt) => attempt.code))).toEqual(
      new Set(['connection_failed', 'http_5xx', 'delivered']),
    );
  });
});

it('a process that sends one webhook at a time sends retries as well', async () => {
  receiver.respond((_webhook, count) => (count <= 2 ? 503 : 204));
  const dispatcher = start({ WEBHOOK_SLOTS: 1 });
  const webhook = webhookOf();
  await dispatcher.freeze(webhook, URL_SET, never);
  await state(webhook, 'delivered');
  expect(receiver.received.filter(byId(webhook)).map((one) => one.status)).toEqual([503, 503, 204]);
});

it('F72: a name server of ours that is dead, which is silence, opens no breaker and uses up no attempt', async () => {
  const silent = await startSilentNameServer();
  try {
    changed = { inbound_webhook_url: 'https://hooks.example.org/in' };
    const dispatcher = start({ resolve: createResolver({ budgetMs: 200, query: silent.query }) });
    const webhooks = Array.from({ length: STOPPING.breakerFailures + 1 }, () => webhookOf());
    for (const webhook of webhooks) await dispatcher.freeze(webhook, URL_SET, never);
    for (const webhook of webhooks) {
      await vi.waitFor(async () => expect((await rowOf(webhook)).ownFailures?.count).toBe(1), 20_000);
      expect(await rowOf(webhook)).toMatchObject({ state: 'pending', attempts: 0 });
      const attempts = async () => deliveries.listAttempts(idOf(webhook), never);
      const logged = [{ code: 'dns_timeout', charged: false }];
      await vi.waitFor(async () => expect(await attempts()).toMatchObject(logged), 20_000);
    }
    const endpoint = await deliveries.endpoints.find(business, never);
    expect(endpoint).toMatchObject({ state: 'active', breaker: null, unanswered: 0, failures: null });
  } finally {
    silent.close();
  }
});

describe('what changes between two attempts', () => {
  it('F74: a new secret signs and a new URL is sent to, with the same id and the same bytes', async () => {
    const other = await startWebhookReceiver({ secrets: [NEW_SECRET] });
    try {
      receiver.respond(503);
      const dispatcher = start({ alsoTo: [other] });
      const webhook = webhookOf();
      await dispatcher.freeze(webhook, URL_SET, never);
      await receiver.waitFor(byId(webhook), 10_000);
      changed = { inbound_webhook_url: other.url, webhook_secrets: [NEW_SECRET] };
      await state(webhook, 'delivered');
      expect(receiver.received.filter(byId(webhook)).every((one) => one.verified)).toBe(true);
      expect(other.received).toMatchObject([{ webhookId: webhook.webhookId, verified: true, status: 204 }]);
      expect(other.received[0]?.rawBody.equals(Buffer.from(webhook.body))).toBe(true);
    } finally {
      await other.close();
    }
  });

  it.each([
    ['forward', 3_600_000],
    ['back', -3_600_000],
  ])('F75: a clock that jumps an hour %s ends no lease early, and brings no retry early or late', async (_way, ms) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const [hung, retried] = [webhookOf({ endpointId: `${business}_hung` }), webhookOf()];
    const times: number[] = [];
    receiver.respond((one) => {
      if (one.webhookId === hung.webhookId) return { status: 204, delayMs: 1_500 };
      times.push(performance.now());
      return times.length === 1 ? 503 : 204;
    });
    const first = start({ WEBHOOK_SCHEDULE_SECONDS: [1] });
    await first.freeze(hung, URL_SET, never);
    await first.freeze(retried, URL_SET, never);
    await receiver.waitFor(byId(hung), 10_000);
    await receiver.waitFor(byId(retried), 10_000);
    vi.setSystemTime(Date.now() + ms);
    start({ WEBHOOK_SCHEDULE_SECONDS: [1] });
    await state(retried, 'delivered');
    await state(hung, 'delivered');
    expect(times).toHaveLength(2);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(1_000);
    expect((await rowOf(hung)).attempts).toBe(1);
    expect(receiver.received.filter(byId(hung))).toHaveLength(1);
  });
});

describe('several dispatchers', () => {
  it('send each due webhook once', async () => {
    const webhooks = Array.from({ length: 120 }, (_, index) => webhookOf({ endpointId: `biz_${index % 7}` }));
    await Promise.all(webhooks.map((webhook) => abandon(webhook)));
    start({});
    start({});
    await receiver.waitFor((_one, all) => new Set(all.map((each) => each.webhookId)).size === webhooks.length, 30_000);
    await Promise.all(webhooks.map((webhook) => state(webhook, 'delivered')));
    const ids = receiver.received.map((one) => one.webhookId ?? '');
    expect(ids.toSorted()).toEqual(webhooks.map((webhook) => webhook.webhookId).toSorted());
  });

  it('send what one of them left behind, once its lease has ended', async () => {
    const webhook = webhookOf();
    await abandon(webhook, 400);
    start({});
    await state(webhook, 'delivered');
    expect((await rowOf(webhook)).attempts).toBe(1);
  });

  it('take over at once what one of them gives back at its stop', async () => {
    const hung: string[] = [];
    receiver.respond((one) => {
      if (hung.length > 0) return 204;
      hung.push(one.webhookId ?? '');
      return { status: 204, delayMs: 300 };
    });
    const first = start({ WEBHOOK_SLOTS: 1, WEBHOOK_POLL_MS: 60_000 });
    const [sending, waiting] = [webhookOf(), webhookOf()];
    await first.freeze(sending, URL_SET, never);
    await first.freeze(waiting, URL_SET, never);
    await receiver.waitFor(byId(sending), 10_000);
    await first.stop();
    await state(sending, 'delivered');
    await state(waiting, 'pending');
    start({});
    await state(waiting, 'delivered');
    expect(receiver.received.map((one) => one.webhookId)).toEqual([sending.webhookId, waiting.webhookId]);
  });
});

it('F73: webhooks of healthy endpoints arrive while endpoints that hang and a dead one hold more of them than there are slots', async () => {
  const [hung, dead] = [await startWebhookReceiver({ secrets: [SECRET] }), await startWebhookReceiver({ secrets: [] })];
  try {
    hung.respond({ kind: 'hang' });
    await dead.stop();
    const due = async (name: string, endpoints: number, each: number, url: string): Promise<FrozenWebhook[]> => {
      const ids = Array.from({ length: endpoints * each }, (_, place) => `${business}_${name}_${place % endpoints}`);
      const webhooks = ids.map((endpointId) => webhookOf({ endpointId }));
      for (const endpointId of ids) urls.set(endpointId, url);
      await Promise.all(webhooks.map((webhook) => deliveries.freeze(webhook, { kind: 'due' }, never)));
      return webhooks;
    };
    const stuck = await due('hung', 8, 8, hung.url);
    await due('dead', 1, 10, dead.url);
    const healthy = await due('well', 9, 5, receiver.url);
    // So long that no request to an endpoint that hangs is over before the test is.
    start({ WEBHOOK_TIMEOUT_MS: 120_000, WEBHOOK_LEASE_MS: 300_000, WEBHOOK_ENDPOINT_SLOTS: 8, alsoTo: [hung, dead] });
    await hung.waitFor((_one, all) => all.length > 0, 30_000);
    for (const webhook of healthy) await state(webhook, 'delivered');
    const rows = await Promise.all(stuck.map(rowOf));
    expect(rows.every(({ attempts }) => attempts === 0)).toBe(true);
    expect(receiver.received).toHaveLength(healthy.length);
  } finally {
    await Promise.all([hung.close(), dead.close()]);
  }
});

describe('a receiver that misbehaves', () => {
  it.each([
    ['hangs', { kind: 'hang' }, 'timeout'],
    ['cuts the connection', { kind: 'drop' }, 'connection_failed'],
    ['drips its answer', { status: 200, body: { bytes: 10_000 }, dripMs: 20 }, 'timeout'],
    ['redirects', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, 'redirect_not_followed'],
    ['fails with a huge body', { status: 500, body: { bytes: 50_000_000 } }, 'response_too_large'],
  ] as const)('and %s is a failed attempt that is tried again', async (_what, answer, code) => {
    receiver.respond((_webhook, count) => (count === 1 ? answer : 204));
    const dispatcher = start({ WEBHOOK_TIMEOUT_MS: 400 });
    const webhook = webhookOf();
    await dispatcher.freeze(webhook, URL_SET, never);
    await state(webhook, 'delivered');
    const attempts = await attemptsOf(webhook);
    expect(attempts.map((attempt) => attempt.code)).toEqual([code, 'delivered']);
    expect(receiver.received.filter(byId(webhook))).toHaveLength(2);
  });

  it('and answers 410 is sent nothing more of this webhook', async () => {
    receiver.respond(410);
    const dispatcher = start({});
    const webhook = webhookOf();
    await dispatcher.freeze(webhook, URL_SET, never);
    await state(webhook, 'disabled');
    expect((await rowOf(webhook)).nextAttemptAt).toBeNull();
  });

  it('for good is given up after the last attempt of the schedule', async () => {
    receiver.respond(500);
    const dispatcher = start({ WEBHOOK_SCHEDULE_SECONDS: [0.02, 0.02] });
    const webhook = webhookOf();
    await dispatcher.freeze(webhook, URL_SET, never);
    await state(webhook, 'exhausted');
    expect(receiver.received.filter(byId(webhook))).toHaveLength(3);
  });
});

it('wd.after_row is passed when the row is there and before the notice can be acknowledged', async () => {
  const webhook = webhookOf();
  const seen: unknown[] = [];
  const dispatcher = start({ crashPoint: (point) => void seen.push(point) });
  await dispatcher.freeze(webhook, null, never);
  expect(seen).toEqual(['wd.after_row']);
  expect(await deliveries.find(webhook.webhookId, never)).toHaveLength(1);
});

type Overrides = Partial<DispatcherOptions['config']> & {
  lines?: LogLine[];
  crashPoint?: (point: string) => void;
  resolve?: Resolve;
  /** Other receivers that may be sent to. */
  alsoTo?: readonly WebhookReceiver[];
};

function start({
  lines = [],
  crashPoint = () => undefined,
  alsoTo = [],
  resolve = createResolver({ budgetMs: 1_000 }),
  ...config
}: Overrides): Dispatcher {
  const policy = createUrlPolicy({
    addresses: createAddressPolicy({ denyCidrs: [], nat64: false }),
    allowedOrigins: [],
    devOrigins: [receiver, ...alsoTo].map(({ url }) => new URL(url).origin),
  });
  const totalTimeoutMs = config.WEBHOOK_TIMEOUT_MS ?? 5_000;
  const dispatcher = createDispatcher({
    deliveries,
    findSettings: async (businessId) => settingsOf(businessId),
    endpoint: createEndpoint({
      policy,
      resolve,
      connectTimeoutMs: 1_000,
      totalTimeoutMs,
    }),
    owner: `dispatcher-${running.length}-${Math.random()}`,
    config: {
      WEBHOOK_SCHEDULE_SECONDS: Array.from({ length: 60 }, () => 0.1),
      WEBHOOK_TIMEOUT_MS: totalTimeoutMs,
      WEBHOOK_POLL_MS: 25,
      WEBHOOK_LEASE_MS: 30_000,
      WEBHOOK_SLOTS: 8,
      WEBHOOK_ENDPOINT_SLOTS: 4,
      WEBHOOK_ENDPOINT_RATE: 1_000,
      ...config,
    },
    onAttempt: () => undefined,
    onCensus: () => undefined,
    crashPoint,
    logger: createTestLogger(lines),
  });
  running.push(dispatcher);
  dispatcher.start();
  return dispatcher;
}

/** A row whose owner is gone: due when its lease ends. */
async function abandon(webhook: FrozenWebhook, leaseMs = 0): Promise<void> {
  const lease = { owner: 'somebody who is gone', leaseMs };
  const limits = { ratePerSecond: 1_000, maxInFlight: 200 };
  expect(await deliveries.freeze(webhook, { kind: 'send', lease, limits }, never)).toMatchObject({ kind: 'held' });
}

async function state(webhook: FrozenWebhook, expected: string): Promise<void> {
  await expect.poll(async () => (await rowOf(webhook)).state, { interval: 25 }).toBe(expected);
}

/** The attempt log of a delivered webhook; it is written after the row. */
async function attemptsOf(webhook: FrozenWebhook) {
  return vi.waitFor(async () => {
    const attempts = await deliveries.listAttempts(idOf(webhook), never);
    expect(attempts.at(-1)?.state).toBe('delivered');
    return attempts;
  }, 20_000);
}

async function rowOf(webhook: FrozenWebhook) {
  const [row] = await deliveries.find(webhook.webhookId, never);
  if (row === undefined) throw new Error('the row is not there');
  return row;
}

function webhookOf(changes: { endpointId?: string } = {}): FrozenWebhook {
  calls += 1;
  const callSid = `CA${calls.toString(16).padStart(32, '0')}`;
  const businessId = changes.endpointId ?? business;
  return {
    webhookId: `msg_${callSid}_completed`,
    endpointId: businessId,
    businessId,
    callSid,
    eventType: 'call.completed',
    revision: 1,
    body: Buffer.from(JSON.stringify({ call_id: callSid, city: 'תל אביב' })),
    traceparent: undefined,
  };
}

function idOf(webhook: FrozenWebhook): string {
  return `${webhook.webhookId}@${webhook.endpointId}`;
}

function byId(webhook: FrozenWebhook) {
  return (one: { webhookId: string | null }) => one.webhookId === webhook.webhookId;
}

function settingsOf(businessId: string): FullSettings {
  return businessSettingsSchema.parse({
    id: businessId,
    name: 'Business',
    agent: { instructions: 'Help.', greeting: 'Hello.' },
    inbound_webhook_url: urls.get(businessId) ?? receiver.url,
    webhook_secrets: [SECRET],
    ...changed,
  });
}
