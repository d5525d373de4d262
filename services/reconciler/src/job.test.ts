import { PassThrough } from 'node:stream';
import { RetryLaterError } from '@pipeline/contracts';
import { provisionBroker } from '@pipeline/messaging';
import { createLogger, parseConfig } from '@pipeline/runtime';
import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configSchema } from './config.ts';
import { endedCall, environmentOf, sidOf } from './fixtures.ts';
import { createJob, type JobOptions } from './job.ts';

const never = new AbortController().signal;
let server: RunningNats;

beforeAll(async () => {
  server = await startNats();
  const { config, logger } = jobWith({}).options;
  await provisionBroker({ config, identity: 'provision', instance: 'test', logger });
});
afterAll(() => server.stop());

/** A job on a world where nothing has happened, but for what a test says. */
function jobWith(outside: Partial<JobOptions['outside']>, url = server.url, variables: Record<string, string> = {}) {
  const sink = new PassThrough();
  const lines = (): Record<string, unknown>[] =>
    String(sink.read() ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>); // pino writes JSON objects
  const options: JobOptions = {
    config: parseConfig(configSchema, environmentOf(url, variables)),
    instance: 'reconciler/test',
    outside: {
      time: async () => Date.now(),
      listEnded: async function* () {},
      storedKinds: async () => new Map(),
      listStored: async function* () {},
      announced: async () => new Set(),
      createOwners: () => async () => 'nobody',
      ...outside,
    },
    crashPoint: () => undefined,
    metrics: { onCall: () => undefined, onNotice: () => undefined, onRun: () => undefined },
    logger: createLogger({ level: 'info', bindings: { service: 'reconciler' } }, sink),
    elapsed: () => performance.now(),
  };
  return { options, job: createJob(options), lines };
}

/** A list that breaks off on its way. */
async function* brokenList(): AsyncGenerator<never> {
  yield* [];
  throw new RetryLaterError('Twilio answered 503');
}

test('a part that fails does not keep the other back, and the run says so: its notice is published', async () => {
  const listStored = async function* () {
    yield [{ callSid: sidOf(1), businessId: 'biz_1', revision: 1 }];
  };
  const { job, lines } = jobWith({ listEnded: brokenList, listStored });
  expect(await job.run(never)).toBe(false);
  expect(job.readiness()).toEqual({ ok: false, reason: 'the last run failed, see its line' });
  const [failure, told] = lines();
  expect(failure).toMatchObject({ level: 'error', phase: 'calls', err: { message: 'Twilio answered 503' } });
  expect(told).toMatchObject({ outcome: 'failed', notices: { looked: 1, published: 1 }, watermark: null });
});

test('a list that uses all the time of a run keeps no webhook back: the notice is published meanwhile, the run is told as failed', async () => {
  let isPublished = (): void => undefined;
  const published = new Promise<void>((resolve) => (isPublished = resolve));
  const listEnded = async function* (
    _sinceMs: number,
    _from: string | null,
    signal: AbortSignal,
  ): AsyncGenerator<never> {
    yield* [];
    await published; // so Twilio's list outlasts the notice, however slow the machine is
    await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  };
  const listStored = async function* () {
    yield [{ callSid: sidOf(2), businessId: 'biz_1', revision: 1 }];
  };
  const { options, lines } = jobWith({ listEnded, listStored }, server.url, { RUN_TIMEOUT_MS: '2000' });
  const job = createJob({ ...options, metrics: { ...options.metrics, onNotice: isPublished } });
  expect(await job.run(never)).toBe(false);
  expect(lines().at(-1)).toMatchObject({ outcome: 'failed', notices: { looked: 1, published: 1 }, watermark: null });
});

test('a list that is too long for one run is no failure: the next run goes on where it ended', async () => {
  const asked: (string | null)[] = [];
  let elapsed = 0;
  const listEnded = async function* (_sinceMs: number, from: string | null) {
    asked.push(from);
    for (let number = Number(from ?? 0); number < 3; number += 1) {
      elapsed += 100_000;
      const call = endedCall({ callSid: sidOf(100 + number), endedAt: Date.now() - 600_000 });
      yield { calls: [call], unreadable: 0, next: number < 2 ? String(number + 1) : null };
    }
  };
  const { options, lines } = jobWith({ listEnded });
  const job = createJob({ ...options, elapsed: () => elapsed });
  expect([await job.run(never), await job.run(never)]).toEqual([true, true]);
  expect(asked).toEqual([null, '2']);
  expect(lines().map(({ outcome, pages }) => [outcome, pages])).toEqual([
    ['continues', 2],
    ['done', 1],
  ]);
});

test('a run that goes well makes it ready again', async () => {
  let isAway = true;
  const { job, lines } = jobWith({ listEnded: () => (isAway ? brokenList() : calm()) });
  await job.run(never);
  isAway = false;
  expect(await job.run(never)).toBe(true);
  expect(job.readiness()).toEqual({ ok: true });
  expect(lines().at(-1)).toMatchObject({ outcome: 'done', calls: { unowned: 1 }, pages: 1, count: 2 });
});

async function* calm() {
  yield { calls: [endedCall({ endedAt: Date.now() - 600_000 })], unreadable: 2, next: null };
}

test('a broker that is away is told within seconds, in the one line of the run too', async () => {
  const { job, lines } = jobWith({}, 'nats://127.0.0.1:9');
  expect(await job.run(never)).toBe(false);
  expect(lines().map(({ msg, phase, outcome }) => phase ?? `${String(msg)}: ${String(outcome)}`)).toEqual([
    'broker',
    'reconciled: failed',
  ]);
});

test('a run that a shutdown cuts off is no failure', async () => {
  const stop = new AbortController();
  const listEnded = async function* (
    _sinceMs: number,
    _from: string | null,
    signal: AbortSignal,
  ): AsyncGenerator<never> {
    yield* [];
    stop.abort(new Error('shutting down'));
    signal.throwIfAborted();
  };
  const { job, lines } = jobWith({ listEnded });
  expect(await job.run(stop.signal)).toBe(true);
  expect(lines().map(({ level, outcome }) => [level, outcome])).toEqual([['info', 'stopped']]);
});
