import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startMongo, type RunningMongo } from '@pipeline/sandbox/servers';
import { createCallLogReader, provisionCallLog } from '../call-log/index.ts';
import { CALL_LOG_PLAN } from '../call-log/model.ts';
import { createCallLogWriter } from '../call-log-writer/index.ts';
import { createDeliveryStore, provisionDeliveries } from '../deliveries/index.ts';
import { DELIVERY_PLAN } from '../deliveries/model.ts';
import { newCallLog, newCallSid } from '../fixtures/call-log.ts';
import { configOf, openStore, quietLog } from '../fixtures/store.ts';
import { provisionSettings } from '../settings/index.ts';
import { SETTINGS_PLAN } from '../settings/model.ts';
import { connectStore, internalsOf, type Store } from './store.ts';

const never = new AbortController().signal;
let server: RunningMongo;

// The slowest of the servers, on a machine that does other things, takes ten times as long as mongod.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  server = await startMongo();
});
afterAll(() => server?.stop());

test('provision makes what is missing, says so, and changes nothing the second time', async () => {
  const store = await openStore(server);
  const first = await provisionAll(store);
  // A collection is one line, and so is each of its indexes.
  const planned = [...CALL_LOG_PLAN, ...DELIVERY_PLAN, ...SETTINGS_PLAN].map(({ indexes }) => 1 + indexes.length);
  expect(first).toHaveLength(planned.reduce((sum, lines) => sum + lines, 0));
  expect(first.every((line) => line.endsWith(': created'))).toBe(true);
  expect((await provisionAll(store)).every((line) => line.endsWith(': unchanged'))).toBe(true);
  await store.close();
});

test('an index that differs is made again, and its documents stay', async () => {
  const store = await openStore(server);
  await provisionCallLog(store, never);
  const log = newCallLog(newCallSid());
  await createCallLogWriter(store).store(log, never);
  const documents = internalsOf(store).connection('calls').collection('call_logs');
  await documents.dropIndex('retention');
  await documents.createIndex(
    { endedAt: 1 },
    { name: 'retention', expireAfterSeconds: 1, partialFilterExpression: { expired: true } },
  );
  const lines = await provisionCallLog(store, never);
  expect(lines.filter((line) => !line.endsWith(': unchanged'))).toEqual(['calls.call_logs.retention: made again']);
  expect((await createCallLogReader(store).find(log.callSid, never)).kind).toBe('call');
  await store.close();
});

test('a store is unready, with the difference, until everything that it works with is provisioned', async () => {
  const config = configOf(server);
  const logger = quietLog();
  const store = await connectStore({ config, instance: 'test/1', logger });
  createDeliveryStore(store);
  await expect
    .poll(() => store.readiness())
    .toMatchObject({ ok: false, reason: expect.stringContaining('delivery.webhook_deliveries is missing') });
  await provisionDeliveries(store, never);
  await expect.poll(() => store.readiness(), { timeout: 10_000 }).toEqual({ ok: true });
  expect(logger.lines.at(-1)).toContain('MongoDB is ready');
  await store.close();
});

test('an index that is dropped is an alarm at the next start', async () => {
  const config = configOf(server);
  const store = await connectStore({ config, instance: 'test/1', logger: quietLog() });
  await provisionDeliveries(store, never);
  await internalsOf(store).connection('delivery').collection('webhook_deliveries').dropIndex('endpoint');
  await store.close();
  const next = await connectStore({ config, instance: 'test/2', logger: quietLog() });
  createDeliveryStore(next);
  const alarm = { ok: false, reason: 'run provision: index delivery.webhook_deliveries.endpoint is missing' };
  await expect.poll(() => next.readiness(), { timeout: 10_000 }).toEqual(alarm);
  await next.close();
});

test('an index that only older releases use is told, and removed when that is wished', async () => {
  const store = await connectStore({ config: configOf(server), instance: 'test/1', logger: quietLog() });
  await provisionDeliveries(store, never);
  const rows = internalsOf(store).connection('delivery').collection('webhook_deliveries');
  await rows.createIndex({ nextAttemptAt: 1, endpointId: 1 }, { name: 'due' });
  const changes = async (retire: boolean) =>
    (await provisionDeliveries(store, never, { retire })).filter((line) => !line.endsWith(': unchanged'));
  expect(await changes(false)).toEqual([
    expect.stringMatching(/^delivery\.webhook_deliveries\.due: only older releases/),
  ]);
  expect(await changes(true)).toEqual(['delivery.webhook_deliveries.due: removed']);
  expect(await changes(true)).toEqual([]);
  await store.close();
});

test('a refused password leaves the store unready and appears nowhere', async () => {
  const config = { ...configOf(server), MONGO_PASSWORD: 'canary-password' };
  const logger = quietLog();
  const store = await connectStore({ config, instance: 'test/1', logger });
  expect(store.readiness()).toEqual({ ok: false, reason: 'the server refuses user or password' });
  expect(logger.lines.join()).not.toContain('canary');
  await store.close();
});

test('a server that is down at boot neither fails the boot nor queues work, and is found when it comes', async () => {
  const late = await startMongo();
  const config = configOf(late);
  await late.kill();
  const store = await connectStore({ config, instance: 'test/1', logger: quietLog() });
  expect(store.readiness()).toEqual({ ok: false, reason: 'no server answers' });
  const reader = createCallLogReader(store);
  const begun = performance.now();
  await expect(reader.find(newCallSid(), never)).rejects.toMatchObject({ name: 'RetryLaterError', deadline: 'none' });
  // Work that is queued waits 5 s for a server.
  expect(performance.now() - begun).toBeLessThan(4_000);
  await late.restart();
  await expect
    .poll(
      () =>
        provisionCallLog(store, never)
          .then(() => store.readiness())
          .catch(String),
      { timeout: 20_000 },
    )
    .toEqual({ ok: true });
  expect(await reader.find(newCallSid(), never)).toEqual({ kind: 'none' });
  await store.close();
  await late.stop();
});

test('a write whose answer is lost is repeated and leaves one document as first written', async () => {
  const proxy = await cuttingProxy(server.port);
  const url = `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`;
  const store = await connectStore({
    config: { ...configOf(server), MONGO_URL: url },
    instance: 'test/1',
    logger: quietLog(),
  });
  await provisionCallLog(store, never);
  const writer = createCallLogWriter(store);
  const log = newCallLog(newCallSid());
  proxy.cutAnswersTo('findAndModify');
  const result = await writer.store(log, never).catch(() => writer.store(log, never));
  expect(proxy.cuts()).toBe(1);
  expect(result).toMatchObject({ callLog: { revision: 1, previous: null, summary: log.summary } });
  await store.close();
  await proxy.close();
});

async function provisionAll(store: Store): Promise<string[]> {
  const settings = await provisionSettings(store, never);
  return [...settings, ...(await provisionCallLog(store, never)), ...(await provisionDeliveries(store, never))];
}

/** Passes everything on; once told, it cuts the connection when the answer to the next such command arrives. */
async function cuttingProxy(target: number) {
  const sockets = new Set<Socket>();
  let command: string | null = null;
  let cuts = 0;
  const proxy: Server = createServer((client) => {
    const upstream = dial(target, '127.0.0.1');
    let isDoomed = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => (client.destroy(), upstream.destroy()));
    }
    client.on('data', (bytes) => {
      if (command !== null && bytes.includes(command)) [isDoomed, command] = [true, null];
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      if (!isDoomed) return client.write(bytes);
      cuts += 1;
      return client.destroy();
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cutAnswersTo: (name: string): void => void (command = name),
    cuts: () => cuts,
    close: async (): Promise<void> => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
