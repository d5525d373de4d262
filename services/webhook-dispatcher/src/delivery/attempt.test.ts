import { businessSettingsSchema, type FullSettings } from '@pipeline/contracts';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import type { EndpointRequest, SendResult } from '@pipeline/egress';
import { createTestLogger, type LogLine } from '../fixtures/log.ts';
import { makeAttempt, type OpenDelivery } from './attempt.ts';

const SECRET = 'whsec_cGVyZmVjdC1jYWxsLXBpcGVsaW5lLXRlc3Qta2V5LTA=';
const NEW_SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const CALL = 'CA00000000000000000000000000000001';
const NOW = Date.now();
const BODY = Buffer.from('{"a":1}');
const PHASES = { dns: 1, connect: 2, tls: 3, firstByte: 4, total: 10 };

describe('one attempt', () => {
  it('sends the frozen bytes, signed for this moment with every secret that is valid now', async () => {
    const world = createWorld({ settings: settingsWith({ webhook_secrets: [NEW_SECRET, SECRET] }) });
    const delivery = deliveryWith({ attempts: 2 });
    await world.attempt(delivery);
    const [request] = world.requests;
    expect(request?.body).toBe(delivery.body);
    expect(request?.url).toBe('https://hooks.example.org/in?token=CANARY');
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': `msg_${CALL}_completed`,
      'webhook-timestamp': String(Math.floor(NOW / 1_000)),
      'webhook-attempt': '3',
    });
    for (const secret of [SECRET, NEW_SECRET]) {
      expect(new Webhook(secret).verify(delivery.body ?? '', { ...request?.headers })).toEqual({ a: 1 });
    }
  });

  it("adds the business's own headers, which never replace ours", async () => {
    const settings = settingsWith({ webhook_headers: { 'X-Api-Key': 'k-CANARY', 'User-Agent': 'theirs' } });
    // As if the settings had been written around the schema that refuses reserved names.
    const forged = {
      ...settings,
      webhook_headers: { ...settings.webhook_headers, 'Webhook-Id': 'forged', Host: 'evil.example' },
    };
    const world = createWorld({ settings: forged });
    await world.attempt();
    expect(world.requests[0]?.headers).toMatchObject({
      'x-api-key': 'k-CANARY',
      'user-agent': 'theirs',
      'webhook-id': `msg_${CALL}_completed`,
    });
    expect(Object.keys(world.requests[0]?.headers ?? {})).not.toContain('host');
  });

  it('is a part of the trace of its call, under an id of its own, also when it broke off', async () => {
    const [trace, parent] = ['a'.repeat(32), 'b'.repeat(16)];
    const delivery = deliveryWith({ traceparent: `00-${trace}-${parent}-01` });
    const world = createWorld();
    const made = [await world.attempt(delivery), await world.attempt(delivery)];
    const sent = world.requests.map(({ headers }) => headers['traceparent']);
    expect(new Set(sent).size).toBe(2);
    for (const header of sent) expect(header).toMatch(new RegExp(`^00-${trace}-(?!${parent})[0-9a-f]{16}-01$`));
    expect(made.map(({ outcome }) => outcome.attempt?.traceId)).toEqual([trace, trace]);
    expect(world.lines[1]?.fields).toMatchObject({ traceId: trace });
    const broken = createWorld({ findSettings: () => Promise.reject(new Error('none')) });
    expect((await broken.attempt(delivery)).outcome.attempt).toMatchObject({ traceId: trace });
  });

  it('of a row that knows no trace has one of its own', async () => {
    const world = createWorld();
    const { attempt } = (await world.attempt()).outcome;
    expect(attempt?.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(world.requests[0]?.headers['traceparent']).toContain(attempt?.traceId);
  });

  it('keeps until when the certificate of the receiver is valid', async () => {
    const certificateEndsAt = new Date(NOW + 86_400_000);
    const world = createWorld({ result: { ...answer(204), certificateEndsAt } });
    expect((await world.attempt()).outcome.attempt).toMatchObject({ certificateEndsAt });
  });

  it('that is answered with 2xx ends the delivery, with the two lines that people look for', async () => {
    const world = createWorld();
    const report = await world.attempt();
    expect(report).toMatchObject({
      code: 'delivered',
      outcome: { next: { state: 'delivered' }, attempt: { httpStatus: 200, code: 'delivered' } },
    });
    expect(world.lines.map((line) => [line.level, line.message])).toEqual([
      ['info', `[WEBHOOK] 📤 Sending webhook for call ${CALL}`],
      ['info', '[WEBHOOK] ✅ Webhook sent successfully'],
    ]);
    expect(world.lines[1]?.fields).toMatchObject({
      callSid: CALL,
      webhookId: `msg_${CALL}_completed`,
      attempt: 1,
      httpStatus: 200,
      ms: 10,
    });
  });

  it('F68: to an endpoint that answers 5xx for six hours is made at each time of the schedule, and delivers behind them', async () => {
    const madeAt: number[] = [];
    const bodies = new Set<Uint8Array | undefined>();
    const ids = new Set<string | undefined>();
    let [seconds, state] = [0, 'pending'];
    while (state === 'pending') {
      const world = createWorld({ result: answer(seconds < 6 * 3_600 ? 503 : 204) });
      const { outcome } = await world.attempt(deliveryWith({ attempts: madeAt.length, body: BODY }));
      madeAt.push(seconds);
      bodies.add(world.requests[0]?.body);
      ids.add(world.requests[0]?.headers['webhook-id']);
      state = outcome.next.state;
      seconds += outcome.next.state === 'pending' ? outcome.next.retryInMs / 1_000 : 0;
    }
    expect(madeAt).toEqual([0, 5, 305, 2_105, 9_305, 27_305]);
    expect(state).toBe('delivered');
    expect([...ids]).toEqual([`msg_${CALL}_completed`]);
    expect([...bodies]).toEqual([BODY]);
  });

  it('that fails is tried again on schedule, with exactly one wide warning', async () => {
    const world = createWorld({ result: answer(503, { 'retry-after': '60' }) });
    const report = await world.attempt();
    expect(report).toMatchObject({ code: 'http_5xx', outcome: { next: { state: 'pending', retryInMs: 60_000 } } });
    expect(report.outcome.charged).toBeUndefined();
    const [, warning, ...more] = world.lines;
    expect(more).toEqual([]);
    expect(warning).toMatchObject({
      level: 'warn',
      message: '[WEBHOOK] attempt failed',
      fields: {
        code: 'http_5xx',
        httpStatus: 503,
        deliveryState: 'pending',
        nextAttemptAt: new Date(NOW + 60_000).toISOString(),
      },
    });
  });

  it.each([
    ['a redirect', answer(302), 1, { state: 'pending', retryInMs: 5_000 }],
    ['an answer that cannot heal', answer(404), 1, { state: 'pending', retryInMs: 1_800_000 }],
    ['the last attempt', answer(500), 10, { state: 'exhausted' }],
    ['410', answer(410), 1, { state: 'disabled' }],
    ['the wish to stop this one', answer(500, { 'webhook-delivery': 'abort-message' }), 1, { state: 'cancelled' }],
    ['a blocked address', failure('ip_blocked'), 1, { state: 'pending', retryInMs: 5_000 }],
    ['a timeout', failure('timeout'), 2, { state: 'pending', retryInMs: 300_000 }],
  ] as const)('after %s becomes what the schedule says', async (_what, result, attempt, next) => {
    const world = createWorld({ result });
    expect((await world.attempt(deliveryWith({ attempts: attempt - 1 }))).outcome.next).toEqual(next);
  });

  it.each(['dns_error', 'dns_timeout', 'sender_exhausted'] as const)(
    'that failed on our side (%s) is free for a day from the first such failure in a row, however old the webhook is',
    async (code) => {
      const world = createWorld({ result: failure(code) });
      const last = { attempts: 9 };
      const first = await world.attempt(deliveryWith(last));
      expect(first.outcome).toMatchObject({ charged: false, isOurs: true, next: { state: 'pending' } });
      const young = await world.attempt(deliveryWith({ ...last, ownFailures: failing(23, 400) }));
      expect(young.outcome).toMatchObject({ charged: false, isOurs: true, next: { state: 'pending' } });
      // A pause of days may lie between two of them.
      const few = await world.attempt(deliveryWith({ ...last, ownFailures: failing(100, 19) }));
      expect(few.outcome).toMatchObject({ charged: false, isOurs: true, next: { state: 'pending' } });
      const old = await world.attempt(deliveryWith({ ...last, ownFailures: failing(24, 20) }));
      expect(old.outcome).toMatchObject({ isOurs: true, next: { state: 'exhausted' } });
      expect(old.outcome.charged).toBeUndefined();
    },
  );

  it('that failed on our side is made again soon, and not much later however often it happens', async () => {
    const world = createWorld({ result: failure('dns_error') });
    const delays: number[] = [];
    for (const count of [0, 1, 2, 3, 400]) {
      const { next } = (await world.attempt(deliveryWith({ ownFailures: count === 0 ? null : failing(1, count) })))
        .outcome;
      if (next.state === 'pending') delays.push(next.retryInMs);
    }
    expect(delays).toEqual([30_000, 60_000, 120_000, 150_000, 150_000]);
  });

  it('that an error of our own broke off never uses up an attempt', async () => {
    const world = createWorld({ findSettings: () => Promise.reject(new Error('no database')) });
    const late = await world.attempt(deliveryWith({ attempts: 9, ownFailures: failing(1_000, 5_000) }));
    expect(late).toMatchObject({ code: 'internal_error', outcome: { charged: false, next: { state: 'pending' } } });
  });

  it('is not made when the body was removed or the business has no URL any more', async () => {
    const world = createWorld();
    expect(await world.attempt(deliveryWith({ body: null }))).toMatchObject({
      code: null,
      outcome: { next: { state: 'cancelled' }, attempt: null },
    });
    for (const settings of [null, settingsWith({ inbound_webhook_url: null })]) {
      const without = createWorld({ settings });
      expect(await without.attempt()).toMatchObject({
        code: null,
        outcome: { next: { state: 'no_endpoint' }, charged: false },
      });
      expect(without.requests).toEqual([]);
    }
    expect(world.requests).toEqual([]);
  });

  it('D1: is not made when the settings were read so slowly that the request could outlive its lease', async () => {
    let hasTime = true;
    const world = createWorld({
      findSettings: async () => {
        hasTime = false;
        return settingsWith({});
      },
      isInTime: () => hasTime,
    });
    expect(await world.tryOnce()).toBeNull();
    expect([...world.requests, ...world.lines]).toEqual([]);
  });

  it('never throws: settings that cannot be read or a secret that cannot sign are failures on our side', async () => {
    const unreadable = createWorld({ findSettings: () => Promise.reject(new Error('no database')) });
    expect(await unreadable.attempt()).toMatchObject({
      code: 'internal_error',
      outcome: { charged: false, next: { state: 'pending' } },
    });
    const unsigned = createWorld({ settings: { ...settingsWith({}), webhook_secrets: [] } });
    expect(await unsigned.attempt()).toMatchObject({ code: 'internal_error', outcome: { charged: false } });
    expect(unsigned.requests).toEqual([]);
  });

  it('that an error of our own broke off is recorded by its code and nothing else', async () => {
    const broken = new Error('CANARY: mongodb://user:password@host');
    const { attempt, lines } = createWorld({ findSettings: () => Promise.reject(broken) });
    const report = await attempt();
    expect(report).toMatchObject({
      tookMs: null,
      outcome: {
        attempt: { code: 'internal_error', worker: 'worker-1', trigger: 'schedule', host: null, httpStatus: null },
      },
    });
    expect(JSON.stringify(report)).not.toContain('CANARY');
    expect(lines.map((line) => [line.level, line.message])).toEqual([['error', '[WEBHOOK] attempt broke off']]);
  });

  it.each([
    ['an error of our own', { findSettings: () => Promise.reject(new Error('no database')) }],
    ['our resolver', { result: failure('dns_error') }],
  ] as const)('is recorded ever more seldom while %s fails in a row', async (_what, given) => {
    const recorded: number[] = [];
    for (let count = 0; count < 600; count += 1) {
      const { outcome } = await createWorld(given).attempt(
        deliveryWith({ ownFailures: count === 0 ? null : failing(1, count) }),
      );
      if (outcome.attempt !== null) recorded.push(count + 1);
    }
    expect(recorded).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
  });

  it('that is charged to the receiver after a day of failures of our own is always recorded', async () => {
    const world = createWorld({ result: failure('dns_error') });
    const { outcome } = await world.attempt(deliveryWith({ ownFailures: failing(25, 200) }));
    expect(outcome).toMatchObject({ isOurs: true, attempt: { code: 'dns_error' } });
    expect(outcome.charged).toBeUndefined();
  });

  it('keeps no secret that the receiver echoes: neither the header, nor the part after its scheme', async () => {
    const settings = settingsWith({ webhook_headers: { Authorization: 'Bearer t-CANARY-1', 'X-Api-Key': 'k-CANARY' } });
    const echoed = 'got authorization=Bearer t-CANARY-1 and x-api-key=k-CANARY and token t-CANARY-1, fine';
    const answered = answer(500);
    const world = createWorld({
      settings,
      result: { ...answered, excerpt: echoed, headers: { 'x-echo': 'k-CANARY' } },
    });
    const { attempt } = (await world.attempt()).outcome;
    expect(JSON.stringify(attempt)).not.toContain('CANARY');
    expect(attempt?.responseExcerpt).toMatch(/^got authorization=\[removed\].*, fine$/);
  });

  it('B110: keeps no secret of the URL that an error page or a header of the receiver quotes', async () => {
    const settings = settingsWith({
      inbound_webhook_url: 'https://n8n.example.org/webhook/CANARY-8f3a?token=CANARY-77',
    });
    const quoted = { ...answer(404), excerpt: 'Cannot POST /webhook/CANARY-8f3a?token=CANARY-77' };
    const world = createWorld({ settings, result: { ...quoted, headers: { server: 'CANARY-8f3a/1.0' } } });
    const { attempt } = (await world.attempt()).outcome;
    expect(JSON.stringify([attempt, world.lines])).not.toContain('CANARY');
    expect(attempt).toMatchObject({ host: 'n8n.example.org', responseExcerpt: 'Cannot POST [removed]' });
  });

  it('leaves no secret, path, query or content in its record and its log lines', async () => {
    const settings = settingsWith({ webhook_headers: { 'X-Api-Key': 'k-CANARY' } });
    const world = createWorld({ settings, result: answer(500) });
    const delivery = deliveryWith({ body: Buffer.from('{"phone":"b-CANARY"}') });
    const report = await world.attempt(delivery);
    expect(report.outcome.attempt).toMatchObject({
      host: 'hooks.example.org',
      address: '1.1.1.1',
      phases: PHASES,
      requestHeaders: { 'webhook-id': delivery.webhookId, 'webhook-signature': '[removed]', 'x-api-key': '[removed]' },
    });
    const written = JSON.stringify([world.lines, report.outcome.attempt]);
    expect(written).not.toContain('CANARY');
    expect(written).not.toContain('whsec_');
    expect(written).not.toContain('v1,');
  });
});

function createWorld(
  given: {
    settings?: FullSettings | null;
    result?: SendResult;
    findSettings?: () => Promise<FullSettings | null>;
    isInTime?: () => boolean;
  } = {},
) {
  const lines: LogLine[] = [];
  const requests: EndpointRequest[] = [];
  const settings = given.settings === undefined ? settingsWith({}) : given.settings;
  const deps = {
    findSettings: given.findSettings ?? (async () => settings),
    endpoint: {
      send: async (request: EndpointRequest) => {
        requests.push(request);
        return given.result ?? answer(200);
      },
      close: () => undefined,
    },
    limitsOf: () => ({ ratePerSecond: 7, maxInFlight: 3 }),
    crashPoint: () => undefined,
    scheduleSeconds: [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400],
    worker: 'worker-1',
    logger: createTestLogger(lines),
    now: () => NOW,
    random: () => 0,
  };
  const isInTime = given.isInTime ?? (() => true);
  const tryOnce = (delivery = deliveryWith({})) => makeAttempt(delivery, deps, isInTime, new AbortController().signal);
  const attempt = async (delivery?: OpenDelivery) => {
    const report = await tryOnce(delivery);
    if (report === null) throw new Error('the attempt was not made');
    return report;
  };
  return { lines, requests, attempt, tryOnce };
}

function deliveryWith(changes: Partial<OpenDelivery>): OpenDelivery {
  const webhookId = `msg_${CALL}_completed`;
  return {
    id: `${webhookId}@biz_123`,
    webhookId,
    endpointId: 'biz_123',
    businessId: 'biz_123',
    callSid: CALL,
    eventType: 'call.completed',
    revision: 1,
    body: Buffer.from('{"a":1}'),
    trigger: 'schedule',
    attempts: 0,
    priorAttempts: 0,
    ownFailures: null,
    dueAt: new Date(NOW),
    ...changes,
  };
}

/** Failures of our own in a row that began so many hours ago. */
function failing(hours: number, count = 1): OpenDelivery['ownFailures'] {
  return { since: new Date(NOW - hours * 3_600_000), count };
}

function settingsWith(changes: Record<string, unknown>): FullSettings {
  return businessSettingsSchema.parse({
    id: 'biz_123',
    name: 'Business',
    agent: { instructions: 'Help.', greeting: 'Hello.' },
    inbound_webhook_url: 'https://hooks.example.org/in?token=CANARY',
    webhook_secrets: [SECRET],
    ...changes,
  });
}

function answer(status: number, headers: Record<string, string> = {}): Extract<SendResult, { kind: 'answered' }> {
  return { kind: 'answered', status, headers, excerpt: 'ok', tooLarge: false, address: '1.1.1.1', phases: PHASES };
}

function failure(code: Extract<SendResult, { kind: 'failed' }>['code']): SendResult {
  return { kind: 'failed', code, address: null, phases: { ...PHASES, firstByte: null } };
}
