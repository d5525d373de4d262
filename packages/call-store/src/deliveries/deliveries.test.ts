import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startMongo, type RunningMongo } from '@pipeline/sandbox/servers';
import type { Store } from '../connection/store.ts';
import { newCallSid } from '../fixtures/call-log.ts';
import { openStore } from '../fixtures/store.ts';
import {
  createDeliveryStore,
  provisionDeliveries,
  type AttemptRecord,
  type DeliveryStore,
  type NewDelivery,
} from './index.ts';

const never = new AbortController().signal;
const LEASE = { owner: 'one', leaseMs: 60_000 };
/** A lease that has ended when the next operation begins. */
const ENDED = { owner: 'one', leaseMs: 0 };
let server: RunningMongo;
const stores: Store[] = [];

// The slowest of the servers, on a machine that does other things, takes ten times as long as mongod.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  server = await startMongo();
});
afterAll(async () => {
  for (const store of stores) await store.close();
  await server?.stop();
});

test('a body is frozen once: the same bytes under the same id, whoever comes second', async () => {
  const deliveries = await open();
  const row = newRow({ body: Buffer.from('{"summary":"$summary שלום"}') });
  expect(await deliveries.freeze(row, LEASE, never)).toBe('inserted');
  const [before] = await deliveries.find(row.webhookId, never);
  expect(
    await deliveries.freeze({ ...row, revision: 9, body: Buffer.from('other') }, { owner: 'two', leaseMs: 1 }, never),
  ).toBe('exists');
  const [after] = await deliveries.find(row.webhookId, never);
  expect(after).toEqual(before);
  expect(after).toMatchObject({
    id: `${row.webhookId}@biz_1`,
    state: 'delivering',
    lease: { owner: 'one' },
    attempts: 0,
    revision: 1,
    bodySha256: createHash('sha256').update(row.body).digest('hex'),
  });
  expect(after?.body?.equals(row.body)).toBe(true);
});

test('twenty processes that freeze the same row: one inserts it', async () => {
  const deliveries = await open();
  const row = newRow();
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, place) => deliveries.freeze(row, { owner: `p${place}`, leaseMs: 60_000 }, never)),
  );
  expect(results.filter((result) => result === 'inserted')).toHaveLength(1);
  expect(await deliveries.find(row.webhookId, never)).toHaveLength(1);
});

test('a webhook without an endpoint is kept, and is never due', async () => {
  const deliveries = await open();
  const row = newRow();
  expect(await deliveries.freeze(row, null, never)).toBe('inserted');
  expect(await deliveries.find(row.webhookId, never)).toMatchObject([
    { state: 'no_endpoint', lease: null, nextAttemptAt: null },
  ]);
  expect(await claim(deliveries, 'two')).toEqual([]);
});

test('the frozen revisions of a call are told in their order, and only of that call', async () => {
  const deliveries = await open();
  const callSid = newCallSid();
  await deliveries.freeze(
    newRow({ callSid, webhookId: `msg_${callSid}_updated_r3`, eventType: 'call.updated', revision: 3 }),
    LEASE,
    never,
  );
  await deliveries.freeze(newRow({ callSid }), LEASE, never);
  await deliveries.freeze(newRow(), LEASE, never);
  expect(await deliveries.frozenRevisions(callSid, never)).toMatchObject([
    { eventType: 'call.completed', revision: 1, webhookId: `msg_${callSid}_completed`, endpointId: 'biz_1' },
    { eventType: 'call.updated', revision: 3 },
  ]);
  expect(await deliveries.listByCall(callSid, never)).toMatchObject([
    { revision: 3, body: null },
    { revision: 1, body: null },
  ]);
});

test('eight claimers never hold the same row', async () => {
  const deliveries = await open();
  const ids = new Set<string>();
  for (let place = 0; place < 32; place += 1) {
    const row = newRow({ endpointId: `end_${place % 8}` });
    await deliveries.freeze(row, ENDED, never);
    ids.add(`${row.webhookId}@${row.endpointId}`);
  }
  const claimers = Array.from({ length: 8 }, (_, place) => claim(deliveries, `c${place}`, { limit: 10 }));
  const claimed = (await Promise.all(claimers)).flat().map((row) => row.id);
  while (claimed.length < ids.size) {
    const more = await claim(deliveries, 'rest', { limit: 32, perEndpoint: 32 });
    expect(more.length).toBeGreaterThan(0);
    claimed.push(...more.map((row) => row.id));
  }
  expect(claimed).toHaveLength(32);
  expect(new Set(claimed)).toEqual(ids);
});

test('a lease that has ended lets another claim the row, and what the former owner settles changes nothing', async () => {
  const deliveries = await open();
  const row = newRow();
  await deliveries.freeze(row, ENDED, never);
  const [taken] = await claim(deliveries, 'two');
  expect(taken).toMatchObject({ id: `${row.webhookId}@biz_1`, lease: { owner: 'two' }, state: 'delivering' });
  const late = await deliveries.settle(taken!.id, 'one', { next: { state: 'delivered' }, attempt: attempt() }, never);
  expect(late).toEqual({ kind: 'lost' });
  expect(await deliveries.release(taken!.id, 'one', never)).toBe(false);
  expect(await deliveries.find(row.webhookId, never)).toEqual([taken]);
  expect(await deliveries.listAttempts(taken!.id, never)).toEqual([]);
});

test("a row under a lease is nobody else's, and a released one is due at once", async () => {
  const deliveries = await open();
  const row = newRow();
  await deliveries.freeze(row, LEASE, never);
  expect(await claim(deliveries, 'two')).toEqual([]);
  expect(await deliveries.release(`${row.webhookId}@biz_1`, 'one', never)).toBe(true);
  expect(await claim(deliveries, 'two')).toMatchObject([{ attempts: 0, lease: { owner: 'two' } }]);
});

test('settling ends the lease, counts the attempt, remembers it, and a delivered row is never due again', async () => {
  const deliveries = await open();
  const row = newRow();
  const id = `${row.webhookId}@biz_1`;
  await deliveries.freeze(row, LEASE, never);
  const again = {
    next: { state: 'pending', retryInMs: 0 },
    attempt: attempt({ code: 'http_5xx', httpStatus: 503 }),
  } as const;
  expect(await deliveries.settle(id, 'one', again, never)).toMatchObject({
    kind: 'settled',
    row: { state: 'pending', attempts: 1, lease: null },
  });
  await claim(deliveries, 'two');
  const ours = { next: { state: 'pending', retryInMs: 0 }, charged: false, attempt: null } as const;
  expect(await deliveries.settle(id, 'two', ours, never)).toMatchObject({ row: { attempts: 1 } });
  await claim(deliveries, 'three');
  const done = await deliveries.settle(id, 'three', { next: { state: 'delivered' }, attempt: attempt() }, never);
  expect(done).toMatchObject({ row: { state: 'delivered', attempts: 2, nextAttemptAt: null, lease: null } });
  expect(await claim(deliveries, 'four')).toEqual([]);
  expect(await deliveries.listAttempts(id, never)).toMatchObject([
    { number: 1, httpStatus: 503, state: 'pending', deliveryId: id },
    { number: 2, httpStatus: 200, state: 'delivered', nextAttemptAt: null },
  ]);
  expect(await deliveries.settle(id, 'three', { next: { state: 'exhausted' }, attempt: null }, never)).toEqual({
    kind: 'lost',
  });
});

test('a retry is due by the clock of the database, not before', async () => {
  const deliveries = await open();
  const row = newRow();
  await deliveries.freeze(row, LEASE, never);
  const outcome = { next: { state: 'pending', retryInMs: 300_000 }, attempt: null } as const;
  const settled = await deliveries.settle(`${row.webhookId}@biz_1`, 'one', outcome, never);
  if (settled.kind === 'lost' || settled.row.nextAttemptAt === null) throw new Error('not settled');
  expect(settled.row.nextAttemptAt.getTime() - settled.row.updatedAt.getTime()).toBe(300_000);
  expect(await claim(deliveries, 'two')).toEqual([]);
});

test('one endpoint never fills the batch: its share is capped over rounds, the others get theirs', async () => {
  const deliveries = await open();
  for (let place = 0; place < 30; place += 1) await deliveries.freeze(newRow({ endpointId: 'hung' }), ENDED, never);
  for (const endpointId of ['a', 'b', 'c']) await deliveries.freeze(newRow({ endpointId }), ENDED, never);
  const first = await claim(deliveries, 'one', { limit: 10, perEndpoint: 4 });
  expect(first.map((row) => row.endpointId)).toEqual(['hung', 'hung', 'hung', 'hung', 'a', 'b', 'c']);
  expect(await claim(deliveries, 'two', { limit: 10, perEndpoint: 4 })).toEqual([]);
  await deliveries.settle(first[0]!.id, 'one', { next: { state: 'delivered' }, attempt: null }, never);
  expect(await claim(deliveries, 'two', { limit: 10, perEndpoint: 4 })).toHaveLength(1);
});

test('the deliveries of a business are listed by their state', async () => {
  const deliveries = await open();
  const row = newRow();
  await deliveries.freeze(row, null, never);
  await deliveries.freeze(newRow({ businessId: 'biz_2' }), null, never);
  expect(await deliveries.listByState('biz_1', 'no_endpoint', never)).toMatchObject([
    { webhookId: row.webhookId, body: null },
  ]);
  expect(await deliveries.listByState('biz_1', 'pending', never)).toEqual([]);
});

test('only ids reach a filter: operator objects are refused', async () => {
  const deliveries = await open();
  const operator = { $ne: null } as unknown as string; // what a careless caller could pass
  await expect(deliveries.find(operator, never)).rejects.toThrow(TypeError);
  await expect(deliveries.frozenRevisions(operator, never)).rejects.toThrow(TypeError);
  await expect(deliveries.listByCall(operator, never)).rejects.toThrow(TypeError);
  await expect(deliveries.listAttempts(operator, never)).rejects.toThrow(TypeError);
  await expect(deliveries.release(operator, 'one', never)).rejects.toThrow(TypeError);
  await expect(deliveries.release('msg_1@biz_1', operator, never)).rejects.toThrow(TypeError);
  await expect(deliveries.freeze(newRow({ endpointId: operator }), LEASE, never)).rejects.toThrow('endpointId');
  await expect(deliveries.freeze(newRow(), { owner: operator, leaseMs: 1 }, never)).rejects.toThrow(TypeError);
});

async function open(): Promise<DeliveryStore> {
  const store = await openStore(server);
  stores.push(store);
  await provisionDeliveries(store, never);
  return createDeliveryStore(store);
}

function newRow(more: Partial<NewDelivery> = {}): NewDelivery {
  const callSid = more.callSid ?? newCallSid();
  return {
    webhookId: `msg_${callSid}_completed`,
    endpointId: 'biz_1',
    businessId: 'biz_1',
    callSid,
    eventType: 'call.completed',
    revision: 1,
    body: Buffer.from('{}'),
    ...more,
  };
}

function claim(deliveries: DeliveryStore, owner: string, more: { limit?: number; perEndpoint?: number } = {}) {
  return deliveries.claimDue({ owner, leaseMs: 60_000, limit: 10, signal: never, ...more });
}

function attempt(more: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    trigger: 'schedule',
    worker: 'test/1',
    host: '127.0.0.1:8080',
    address: '127.0.0.1',
    phases: { dns: null, connect: 1, tls: null, firstByte: 2, total: 3 },
    httpStatus: 200,
    code: 'delivered',
    requestHeaders: {},
    responseHeaders: {},
    responseExcerpt: null,
    traceId: null,
    ...more,
  };
}
