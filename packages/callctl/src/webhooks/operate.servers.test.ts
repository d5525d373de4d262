import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  connectStore,
  createDeliveryStore,
  provisionDeliveries,
  DEFAULT_LIMITS,
  type AttemptOutcome,
  type DeliveryRow,
} from '@pipeline/call-store/deliveries';
import { provisionSettings } from '@pipeline/call-store/settings';
import { createSecretSettingsReader } from '@pipeline/call-store/settings-secrets';
import { activeSecrets } from '@pipeline/contracts';
import { parseConfig } from '@pipeline/runtime';
import { startMongo, type RunningMongo } from '@pipeline/sandbox/servers';
import { storeSchema } from '../config.ts';
import { run, type Run } from '../fixtures/run.ts';
import { createProgressLogger } from '../progress-logger.ts';

const key = randomBytes(32);
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const never = new AbortController().signal;
let mongo: RunningMongo;

// The slowest of the servers, on a machine that does other things, takes ten times as long as mongod.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  mongo = await startMongo();
});
afterAll(() => mongo?.stop());

test('list finds by state and time, show tells each attempt, and words of a receiver cannot move the cursor', async () => {
  const { callctl, deliver, close } = await open();
  const dead = await deliver('exhausted', { httpStatus: 500, code: 'http_5xx', responseExcerpt: 'no \u001b[2J room' });
  await deliver('delivered', { httpStatus: 204, code: 'delivered', responseExcerpt: null });
  const listed = await callctl(['webhooks', 'list', '--since', '1h']);
  expect(listed.out.split('\n')).toEqual([expect.stringMatching(`exhausted .*${dead.webhookId}.*1 attempt`)]);
  expect(JSON.parse((await callctl(['webhooks', 'list', '--status', 'all', '--json'])).out)).toMatchObject({
    total: 2,
    deliveries: [{ state: 'exhausted' }, { state: 'delivered' }],
  });
  expect((await callctl(['webhooks', 'list', '--status', 'delivered', '--until', '1h'])).out).toBe('no delivery fits');
  const shown = await callctl(['webhooks', 'show', dead.webhookId]);
  expect(shown.out).toContain('given up after 1 attempt');
  expect(shown.out).toContain('1. ');
  expect(shown.out).toContain('HTTP 500, http_5xx to hooks.example (93.184.216.34), schedule');
  expect(shown.out).toContain('it answered: no [2J room');
  expect(shown.out).not.toContain('\u001b');
  expect(shown.out).not.toContain('תל אביב');
  expect((await callctl(['webhooks', 'show', dead.id, '--body'])).out).toContain('תל אביב');
  expect(await callctl(['webhooks', 'show', 'msg_none'])).toMatchObject({
    code: 1,
    error: expect.stringContaining('callctl why'),
  });
  await close();
});

test('replay of one sends that one; of many only what fits, after a dry run that changes nothing', async () => {
  const { callctl, deliver, states, close } = await open();
  const dead = [await deliver('exhausted'), await deliver('disabled'), await deliver('cancelled')];
  const [first] = dead;
  const done = await deliver('delivered');
  const dry = await callctl(['webhooks', 'replay', '--since', '1h', '--dry-run', '--rate', '2']);
  expect(dry).toMatchObject({ code: 0, out: expect.stringContaining('3 would be sent again, 2 a second') });
  expect(await states(dead)).toEqual(['exhausted', 'disabled', 'cancelled']);
  const one = await callctl(['webhooks', 'replay', first?.webhookId ?? '']);
  expect(one).toMatchObject({ code: 0, out: expect.stringMatching(/^1 due now/) });
  expect(await states(dead)).toEqual(['pending', 'disabled', 'cancelled']);
  const many = await callctl(['webhooks', 'replay', '--since', '1h', '--json', '--rate', '1000']);
  expect(JSON.parse(many.out)).toMatchObject({ due: 2, in_work: 0, no_body: 0 });
  expect(await states([...dead, done])).toEqual(['pending', 'pending', 'pending', 'delivered']);
  await close();
});

test('a replay of many keeps to its rate, and Ctrl-C stops between two', async () => {
  const { callctl, deliver, states, close } = await open();
  const rows: DeliveryRow[] = [];
  for (let at = 0; at < 4; at += 1) rows.push(await deliver('exhausted'));
  const begun = performance.now();
  expect((await callctl(['webhooks', 'replay', '--since', '1h', '--rate', '8'])).code).toBe(0);
  expect(performance.now() - begun).toBeGreaterThan(480);
  const delivered = await callctl(['webhooks', 'replay', '--since', '1h', '--status', 'pending', '--rate', '0.001'], {
    // The first is due at once; the second would be in a quarter of an hour.
    signal: AbortSignal.timeout(2_000),
  });
  expect(delivered.code).toBe(1);
  expect(await states(rows)).toEqual(['pending', 'pending', 'pending', 'pending']);
  await close();
});

test('what is typed without saying which is not done', async () => {
  for (const args of [
    ['--dry-run'],
    ['--since', 'soon'],
    ['--since', '1h', '--status', 'all'],
    ['--since', '1h', '--rate', '0'],
  ]) {
    const { code } = await run(['webhooks', 'replay', ...args]);
    expect({ args, code }).toEqual({ args, code: 2 });
  }
  expect((await run(['webhooks', 'list', '--status', 'lost'])).code).toBe(2);
  expect((await run(['webhooks', 'show', 'CA123'])).code).toBe(1);
});

test('an endpoint is paused and resumed; one that stopped by itself asks for a test first', async () => {
  const { callctl, deliver, book, close } = await open();
  expect((await callctl(['webhooks', 'pause', 'biz_1'])).out).toContain('is paused, and nothing is lost');
  expect(await book('biz_1')).toMatchObject({ state: 'paused', reason: 'operator' });
  const row = await deliver('exhausted');
  expect((await callctl(['webhooks', 'replay', row.webhookId])).out).toContain('1 of them wait');
  expect((await callctl(['webhooks', 'show', row.webhookId])).out).toContain('callctl webhooks resume biz_1');
  expect((await callctl(['webhooks', 'resume', 'biz_1'])).out).toContain('is active again');
  await deliver('disabled', { httpStatus: 410, code: 'endpoint_gone' }, { kind: 'gone', reason: 'endpoint_gone' });
  expect(await book('biz_1')).toMatchObject({ state: 'disabled', reason: 'endpoint_gone' });
  const refused = await callctl(['webhooks', 'resume', 'biz_1']);
  expect(refused).toMatchObject({ code: 1, out: expect.stringContaining('callctl webhooks test biz_1') });
  expect((await callctl(['webhooks', 'resume', 'biz_1', '--force'])).code).toBe(0);
  expect(await book('biz_1')).toMatchObject({ state: 'active' });
  await deliver('exhausted', { httpStatus: 429 }, { kind: 'throttling', retryAfterMs: 3_600_000 });
  const held = await callctl(['webhooks', 'resume', 'biz_1']);
  expect(held.out).toMatch(/was active already, but the receiver asked for a pause: nothing before .*--force/);
  expect((await callctl(['webhooks', 'resume', 'biz_1', '--force'])).out).toContain('sent to at its full rate');
  expect(await book('biz_1')).toMatchObject({ throttle: null, breaker: null, isDraining: false });
  expect((await callctl(['webhooks', 'pause', 'biz_none'])).error).toContain('callctl settings set');
  await close();
});

test('a rotated secret is printed once; old and new sign for the overlap, and a leaked one is dropped at once', async () => {
  const { callctl, secrets, close } = await open();
  const first = await callctl(['webhooks', 'rotate-secret', 'biz_1']);
  const [fresh = ''] = first.out.split('\n');
  expect(fresh).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  const dayLater = Date.now() + 24 * 3_600_000;
  expect(await secrets(Date.now())).toEqual([SECRET, fresh]);
  expect(await secrets(dayLater - 60_000)).toEqual([SECRET, fresh]);
  expect(await secrets(dayLater + 60_000)).toEqual([fresh]);
  const shown = await callctl(['settings', 'get', 'biz_1']);
  expect(shown.out).not.toContain(fresh);
  expect((await callctl(['settings', 'set', '-'], { files: { '-': shown.out } })).code).toBe(0);
  expect(await secrets(Date.now())).toEqual([SECRET, fresh]);
  expect((await callctl(['webhooks', 'rotate-secret', 'biz_1', '--overlap', '1'])).code).toBe(0);
  const full = await callctl(['webhooks', 'rotate-secret', 'biz_1']);
  expect(full).toMatchObject({ code: 1, error: expect.stringContaining('--overlap 0') });
  const dropped = JSON.parse((await callctl(['webhooks', 'rotate-secret', 'biz_1', '--overlap', '0', '--json'])).out);
  expect(await secrets(Date.now())).toEqual([dropped.secret]);
  await close();
});

test('a test that nobody sends ends with what to look at', async () => {
  const { callctl, close } = await open();
  const { code, error } = await callctl(['webhooks', 'test', 'biz_1', '--wait', '1']);
  expect(code).toBe(1);
  expect(error).toContain('msg_test_');
  expect(error).toContain('Is webhook-dispatcher running?');
  await close();
});

test.each([
  ['internal_error', 'it failed on our side, and says nothing of the endpoint', true],
  ['timeout', 'the endpoint did not take it (exhausted)', false],
])('a test that ends with %s says whose fault it is', async (code, words, isOurs) => {
  const { callctl, settleNext, close } = await open();
  const tested = async (...more: readonly string[]): Promise<Run> => {
    const ended = callctl(['webhooks', 'test', 'biz_1', ...more]);
    await vi.waitFor(() => settleNext({ httpStatus: null, code }), { timeout: 30_000 });
    return ended;
  };
  expect(await tested()).toMatchObject({ code: 1, out: expect.stringContaining(words) });
  expect(JSON.parse((await tested('--json')).out)).toMatchObject({ isOurs, attempt: { code } });
  await close();
});

/** Databases of their own, with one business. */
async function open() {
  const environment = {
    MONGO_URL: mongo.url,
    MONGO_USER: mongo.root.user,
    MONGO_PASSWORD: mongo.root.password,
    MONGO_DB_PREFIX: `t${randomBytes(6).toString('hex')}-`,
    SETTINGS_KEYS: `k1:${key.toString('base64')}`,
  };
  const store = await connectStore({
    config: parseConfig(storeSchema, environment),
    instance: 'test',
    logger: createProgressLogger(() => {}),
  });
  await provisionSettings(store, never);
  await provisionDeliveries(store, never);
  const deliveries = createDeliveryStore(store);
  const callctl = (args: readonly string[], options: Parameters<typeof run>[1] = {}): Promise<Run> =>
    run(args, { environment, ...options });
  const set = await callctl(['settings', 'set', '-'], { files: { '-': JSON.stringify(SETTINGS) } });
  if (set.code !== 0) throw new Error(set.error);
  const deliver = async (
    state: 'delivered' | 'exhausted' | 'disabled' | 'cancelled',
    attempt: Partial<Attempt> = {},
    verdict: AttemptOutcome['verdict'] = { kind: 'none' },
  ): Promise<DeliveryRow> => {
    const callSid = `CA${randomBytes(16).toString('hex')}`;
    const row = {
      webhookId: `msg_${callSid}_completed`,
      endpointId: 'biz_1',
      businessId: 'biz_1',
      callSid,
      revision: 1,
    };
    // Another process than the operator's: it reads the endpoint anew.
    const dispatcher = createDeliveryStore(store);
    const frozen = await dispatcher.freeze(
      { ...row, eventType: 'call.completed', body: Buffer.from('{"city":"תל אביב"}') },
      { kind: 'send', lease: { owner: 'test', leaseMs: 60_000 }, limits: DEFAULT_LIMITS },
      never,
    );
    // A paused endpoint gives no slot: the row waits.
    if (frozen.kind === 'held') {
      const outcome = { next: { state }, verdict, attempt: { ...ATTEMPT, ...attempt } } as const;
      const settled = await dispatcher.settle(frozen.hold, outcome, never);
      if (settled.kind !== 'settled') throw new Error('the lease was lost');
    }
    const [kept] = await deliveries.find(row.webhookId, never);
    if (kept === undefined) throw new Error('not kept');
    return kept;
  };
  return {
    callctl,
    deliver,
    /** As a dispatcher: the next test is tried, and fails. */
    settleNext: async (attempt: Partial<Attempt>) => {
      const claim = { owner: 'test', leaseMs: 60_000, limit: 1, later: 0, signal: never };
      const [claimed] = await deliveries.claimDue(claim);
      if (claimed === undefined) throw new Error('nothing is due');
      const outcome = { next: { state: 'exhausted' }, attempt: { ...ATTEMPT, ...attempt } } as const;
      await deliveries.settle(claimed.hold, outcome, never);
    },
    states: async (rows: readonly DeliveryRow[]) =>
      Promise.all(rows.map(async ({ webhookId }) => (await deliveries.find(webhookId, never))[0]?.state)),
    book: (id: string) => deliveries.endpoints.find(id, never),
    secrets: async (atMs: number) => {
      const settings = await createSecretSettingsReader(store, [{ id: 'k1', key }]).byId('biz_1', never);
      return activeSecrets(settings?.webhook_secrets ?? [], atMs);
    },
    close: store.close,
  };
}

type Attempt = NonNullable<AttemptOutcome['attempt']>;
const ATTEMPT: Attempt = {
  trigger: 'schedule',
  worker: 'test',
  host: 'hooks.example',
  address: '93.184.216.34',
  phases: { dns: 1, connect: 2, tls: 3, firstByte: 4, total: 5 },
  httpStatus: null,
  code: 'timeout',
  requestHeaders: {},
  responseHeaders: {},
  responseExcerpt: null,
  traceId: null,
};

const SETTINGS = {
  id: 'biz_1',
  name: 'Test',
  agent: { instructions: 'Help.', greeting: 'Hi' },
  inbound_webhook_url: 'https://hooks.example/in',
  webhook_secrets: [SECRET],
};
