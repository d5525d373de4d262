import { PassThrough } from 'node:stream';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { connectOperator, provisionBroker, type Operator } from '@pipeline/messaging';
import { createLogger, parseConfig } from '@pipeline/runtime';
import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { z } from 'zod';
import { createTwilio } from './adapters/twilio.ts';
import { configSchema, type Config } from './config.ts';
import { business, environmentOf, NOW, NUMBER, sidOf } from './fixtures.ts';
import { createJob } from './job.ts';

const MINUTE = 60_000;
const never = new AbortController().signal;
const rightNow = Date.now;

/** Twilio as its own clock has it: what ended by then, and that clock in every answer. */
const twilio = { time: NOW, ended: [] as { callSid: string; at: number }[], onAsked: () => undefined as void };
const server = createServer((request, response) => {
  twilio.onAsked();
  const since = Date.parse(new URL(request.url ?? '', 'http://host').searchParams.get('EndTime>') ?? '1970-01-01');
  const calls = twilio.ended
    .filter(({ at }) => at >= since && at <= twilio.time)
    .map(({ callSid, at }) => row(callSid, at));
  response.writeHead(200, { date: new Date(twilio.time).toUTCString() });
  response.end(JSON.stringify({ calls, next_page_uri: null }));
});
let nats: RunningNats;
let operator: Operator;
let listing: ReturnType<typeof createTwilio>;
let config: ReturnType<typeof configOf>;

beforeAll(async () => {
  nats = await startNats();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  config = configOf((server.address() as AddressInfo).port); // Bound to a port, so it is an address and no pipe.
  const { TWILIO_BASE_URL: baseUrl, TWILIO_ACCOUNT_SID: accountSid, TWILIO_API_KEY_SID: apiKeySid } = config;
  const { TWILIO_API_KEY_SECRET: apiKeySecret, TWILIO_PAGE_SIZE: pageSize, TWILIO_TIMEOUT_MS: timeoutMs } = config;
  listing = createTwilio({ baseUrl, accountSid, apiKeySid, apiKeySecret, pageSize, timeoutMs });
  const who = { config, identity: 'provision', instance: 'test', logger: quiet() } as const;
  await provisionBroker(who);
  operator = await connectOperator({ ...who, identity: 'reconciler' });
});
afterAll(async () => {
  await Promise.all([listing.close(), operator.close(), new Promise((resolve) => server.close(resolve))]);
  await nats.stop();
});

const anyRun = fc.record({
  laterMinutes: fc.integer({ min: 1, max: 60 }),
  /** How wrong the clock of the machine is, and how far it steps when Twilio is first asked. */
  wrongMinutes: fc.constantFrom(0, 30, -30, 600, -600),
  stepMinutes: fc.constantFrom(0, 0, 30, -30, 600),
  lost: fc.nat(2),
});

test('B96 whatever the clock of its machine says, and however it steps in a run, every lost call is published, and none is given up', async () => {
  let calls = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(anyRun, { minLength: 1, maxLength: 6 }), async (runs) => {
      const marks = operator.openBucket({ bucket: 'RECONCILER', schema: z.unknown(), deadlineMs: 5_000 });
      await marks.delete('watermark');
      twilio.ended = [];
      await runWith(0, 0);
      for (const { laterMinutes, wrongMinutes, stepMinutes, lost } of runs) {
        twilio.time += laterMinutes * MINUTE;
        for (let count = 0; count < lost; count += 1)
          twilio.ended.push({ callSid: sidOf((calls += 1)), at: twilio.time - 3 * MINUTE });
        await runWith(wrongMinutes, stepMinutes);
      }
      twilio.time += 5 * MINUTE;
      await runWith(0, 0);
      const lost = twilio.ended.map(({ callSid }) => callSid);
      expect(await publishedOf(lost)).toEqual(lost);
    }),
    { numRuns: 25, examples: [[LOST_WHILE_AHEAD]] },
  );
});

/** What was lost once: the clock is half an hour ahead, a call is lost meanwhile, and the clock is right again. */
const LOST_WHILE_AHEAD = [
  { laterMinutes: 5, wrongMinutes: 30, stepMinutes: 0, lost: 0 },
  { laterMinutes: 5, wrongMinutes: 30, stepMinutes: 0, lost: 1 },
  { laterMinutes: 60, wrongMinutes: 0, stepMinutes: 0, lost: 0 },
];

/** One run on a machine whose clock is wrong. Every call that is published has its CallLog by the next run. */
async function runWith(wrongMinutes: number, stepMinutes: number): Promise<void> {
  let wrongBy = twilio.time - rightNow() + wrongMinutes * MINUTE;
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => rightNow() + wrongBy);
  twilio.onAsked = () => {
    wrongBy += stepMinutes * MINUTE;
    twilio.onAsked = () => undefined;
  };
  try {
    const job = createJob({
      config,
      instance: 'reconciler/test',
      outside: {
        time: listing.time,
        listEnded: listing.listEnded,
        storedKinds: async (callSids) =>
          new Map((await publishedOf(callSids)).map((callSid) => [callSid, 'call'] as const)),
        listStored: async function* () {},
        announced: async () => new Set(),
        createOwners: () => async (number) => (number === NUMBER ? business() : 'nobody'),
      },
      crashPoint: () => undefined,
      metrics: { onCall: () => undefined, onNotice: () => undefined, onRun: () => undefined },
      logger: quiet(),
      elapsed: () => performance.now(),
    });
    expect(await job.run(never)).toBe(true);
  } finally {
    clock.mockRestore();
  }
}

async function publishedOf(callSids: readonly string[]): Promise<string[]> {
  const marks = await Promise.all(callSids.map((callSid) => operator.lastMark('call.ended', 'biz_1', callSid)));
  return callSids.filter((_callSid, index) => marks[index] !== null);
}

function row(sid: string, at: number): object {
  const end = new Date(at).toUTCString();
  return {
    sid,
    from: '+972501234567',
    to: NUMBER,
    direction: 'inbound',
    status: 'completed',
    start_time: end,
    end_time: end,
    duration: '1',
  };
}

function quiet() {
  return createLogger({ level: 'error', bindings: { service: 'reconciler' } }, new PassThrough().resume());
}

function configOf(port: number): Config & Parameters<typeof connectOperator>[0]['config'] {
  return parseConfig(configSchema, environmentOf(nats.url, { TWILIO_BASE_URL: `http://127.0.0.1:${port}` }));
}
