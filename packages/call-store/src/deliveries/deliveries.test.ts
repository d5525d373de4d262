import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startMongo, type RunningMongo } from '@pipeline/sandbox/servers';
import { internalsOf, type Store } from '../connection/store.ts';
import { newCallSid } from '../fixtures/call-log.ts';
import { holdRow, newRow, reached, retriedRow } from '../fixtures/deliveries.ts';
import { openStore } from '../fixtures/store.ts';
import {
  createDeliveryStore,
  pause,
  provisionDeliveries,
  resume,
  type AttemptOutcome,
  type AttemptRecord,
  type Beginning,
  type Claimed,
  type DeliveryStore,
} from './index.ts';

const never = new AbortController().signal;
const LIMITS = { ratePerSecond: 1_000, maxInFlight: 8 };
const LEASE = send('one', 60_000);
/** A lease that has ended when the next operation begins. */
const ENDED = send('one', 0);
const DUE = { kind: 'due' } as const;
const DONE = { next: { state: 'delivered' }, attempt: null } as const;
const NOWHERE = { kind: 'no_endpoint' } as const;
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
  expect(await deliveries.freeze(row, LEASE, never)).toMatchObject({ kind: 'held', hold: { lane: 'first' } });
  const [before] = await deliveries.find(row.webhookId, never);
  const other = { ...row, revision: 9, body: Buffer.from('other') };
  expect(await deliveries.freeze(other, send('two', 1), never)).toEqual({ kind: 'exists' });
  const [after] = await deliveries.find(row.webhookId, never);
  expect(after).toEqual(before);
  expect(after).toMatchObject({
    id: `${row.webhookId}@biz_1`,
    state: 'delivering',
    lease: { owner: expect.stringMatching(/^one#/) },
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
    Array.from({ length: 20 }, (_, place) => deliveries.freeze(row, send(`p${place}`, 60_000), never)),
  );
  expect(results.filter((result) => result.kind === 'held')).toHaveLength(1);
  expect(await deliveries.find(row.webhookId, never)).toHaveLength(1);
  // Whoever lost gave the slot back.
  expect((await deliveries.endpoints.find('biz_1', never))?.leases).toHaveLength(1);
});

test('a webhook without an endpoint is kept, and is never due', async () => {
  const deliveries = await open();
  const row = newRow();
  expect(await deliveries.freeze(row, NOWHERE, never)).toEqual({ kind: 'kept' });
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

test('eight claimers never hold the same row, and no endpoint has more in flight than its cap', async () => {
  const deliveries = await open();
  const ids = new Set<string>();
  for (let place = 0; place < 48; place += 1) {
    const row = newRow({ endpointId: `end_${place % 4}` });
    await deliveries.freeze(row, place === 0 ? ENDED : { kind: 'due' }, never);
    ids.add(`${row.webhookId}@${row.endpointId}`);
  }
  const claimed: Claimed[] = [];
  for (let round = 0; claimed.length < ids.size; round += 1) {
    expect(round).toBeLessThan(20);
    const claimers = Array.from({ length: 8 }, (_, place) => claim(deliveries, `c${round}-${place}`, { limit: 10 }));
    const taken = (await Promise.all(claimers)).flat();
    for (let place = 0; place < 4; place += 1) {
      const endpoint = await deliveries.endpoints.find(`end_${place}`, never);
      expect(endpoint?.leases.length).toBeLessThanOrEqual(8);
      expect(taken.filter(({ row }) => row.endpointId === `end_${place}`)).toHaveLength(endpoint?.leases.length ?? 0);
    }
    claimed.push(...taken);
    for (const { hold } of taken) await deliveries.settle(hold, DONE, never);
  }
  expect(claimed).toHaveLength(ids.size);
  expect(new Set(claimed.map(({ row }) => row.id))).toEqual(ids);
});

test('two stores, as two processes have them, share one cap: the second gets what the first left', async () => {
  const store = await openStore(server);
  stores.push(store);
  await provisionDeliveries(store, never);
  const [one, two] = [createDeliveryStore(store), createDeliveryStore(store)];
  const starts = Array.from({ length: 12 }, (_, place) =>
    (place % 2 === 0 ? one : two).freeze(newRow(), send(`p${place % 2}`, 60_000), never),
  );
  const held = (await Promise.all(starts)).filter((frozen) => frozen.kind === 'held');
  // One of the eight slots is kept for retries.
  expect(held).toHaveLength(7);
  expect(await claim(one, 'p0')).toEqual([]);
  await two.settle(held[0]!.hold, DONE, never);
  expect([...(await claim(one, 'p0')), ...(await claim(two, 'p1'))]).toHaveLength(1);
});

test('F86: a lease that has ended lets another claim the row, and what the former owner settles changes nothing', async () => {
  const deliveries = await open();
  const row = newRow();
  const former = await deliveries.freeze(row, ENDED, never);
  if (former.kind !== 'held') throw new Error('not held');
  const [taken] = await claim(deliveries, 'two');
  expect(taken?.row).toMatchObject({ id: `${row.webhookId}@biz_1`, state: 'delivering' });
  const late = { next: { state: 'delivered' }, attempt: attempt() } as const;
  expect(await deliveries.settle(former.hold, late, never)).toEqual({ kind: 'lost' });
  expect(await deliveries.release(former.hold, never)).toBe(false);
  expect(await deliveries.find(row.webhookId, never)).toEqual([taken?.row]);
  expect(await deliveries.listAttempts(former.hold.rowId, never)).toEqual([]);
});

test("a row under a lease is nobody else's, and a released one is due at once", async () => {
  const deliveries = await open();
  const hold = await holdRow(deliveries, newRow());
  expect(await claim(deliveries, 'two')).toEqual([]);
  expect(await deliveries.release(hold, never)).toBe(true);
  expect((await claim(deliveries, 'two')).map(({ row, hold: { lane } }) => [row.attempts, lane])).toEqual([
    [0, 'first'],
  ]);
});

test('settling ends the lease, counts the attempt, remembers it, and a delivered row is never due again', async () => {
  const deliveries = await open();
  const hold = await holdRow(deliveries, newRow());
  const id = hold.rowId;
  const again = {
    next: { state: 'pending', retryInMs: 0 },
    attempt: attempt({ code: 'http_5xx', httpStatus: 503 }),
  } as const;
  const failed = await deliveries.settle(hold, again, never);
  expect(failed).toMatchObject({ kind: 'settled', row: { state: 'pending', attempts: 1, lane: 'later' } });
  await reached(deliveries, failed);
  const [second] = await claim(deliveries, 'two');
  const ours = { next: { state: 'pending', retryInMs: 0 }, charged: false, attempt: attempt({ code: 'dns_error' }) };
  const free = await deliveries.settle(second!.hold, ours as AttemptOutcome, never);
  expect(free).toMatchObject({ row: { attempts: 1 } });
  await reached(deliveries, free);
  const [third] = await claim(deliveries, 'three');
  const done = await deliveries.settle(third!.hold, { next: { state: 'delivered' }, attempt: attempt() }, never);
  expect(done).toMatchObject({ row: { state: 'delivered', attempts: 2, nextAttemptAt: null } });
  expect(await claim(deliveries, 'four')).toEqual([]);
  expect(await deliveries.listAttempts(id, never)).toMatchObject([
    { number: 1, charged: true, httpStatus: 503, state: 'pending', deliveryId: id },
    { number: 2, charged: false, code: 'dns_error' },
    { number: 2, charged: true, httpStatus: 200, state: 'delivered', nextAttemptAt: null },
  ]);
  expect(await deliveries.settle(third!.hold, DONE, never)).toEqual({ kind: 'lost' });
});

test('a retry is due by the clock of the database, not before', async () => {
  const deliveries = await open();
  const hold = await holdRow(deliveries, newRow());
  const outcome = { next: { state: 'pending', retryInMs: 300_000 }, attempt: null } as const;
  const settled = await deliveries.settle(hold, outcome, never);
  if (settled.kind === 'lost' || settled.row.nextAttemptAt === null) throw new Error('not settled');
  expect(settled.row.nextAttemptAt.getTime() - settled.row.updatedAt.getTime()).toBe(300_000);
  expect((await deliveries.endpoints.find('biz_1', never))?.nextDueAt).toEqual(settled.row.nextAttemptAt);
  expect(await claim(deliveries, 'two')).toEqual([]);
});

test('the longest step that a schedule may have is kept, with the tenth that may be added to it', async () => {
  const deliveries = await open();
  const hold = await holdRow(deliveries, newRow());
  const outcome = { next: { state: 'pending', retryInMs: 33 * 86_400_000 }, attempt: null } as const;
  const settled = await deliveries.settle(hold, outcome, never);
  if (settled.kind === 'lost' || settled.row.nextAttemptAt === null) throw new Error('not settled');
  expect(settled.row.nextAttemptAt.getTime() - settled.row.updatedAt.getTime()).toBe(33 * 86_400_000);
});

test('F73: one endpoint never fills the batch: its share is capped over rounds, the others get theirs', async () => {
  const deliveries = await open();
  for (let place = 0; place < 30; place += 1) await deliveries.freeze(newRow({ endpointId: 'hung' }), DUE, never);
  for (const endpointId of ['a', 'b', 'c']) await deliveries.freeze(newRow({ endpointId }), DUE, never);
  const first = await claim(deliveries, 'one', { limit: 12 });
  const of = (endpointId: string): number => first.filter(({ row }) => row.endpointId === endpointId).length;
  expect(['hung', 'a', 'b', 'c'].map(of)).toEqual([7, 1, 1, 1]);
  expect(await claim(deliveries, 'two', { limit: 12 })).toEqual([]);
  await deliveries.settle(first.find(({ row }) => row.endpointId === 'hung')!.hold, DONE, never);
  expect(await claim(deliveries, 'two', { limit: 12 })).toHaveLength(1);
});

test('a first attempt is claimed before retries that have been due for longer', async () => {
  const deliveries = await open();
  for (let place = 0; place < 20; place += 1) await retriedRow(deliveries, newRow());
  await deliveries.freeze(newRow(), DUE, never);
  const lanes = (await claim(deliveries, 'one')).map(({ hold }) => hold.lane);
  expect(lanes).toEqual(['first', ...Array.from({ length: 6 }, () => 'later')]);
});

test('a paused endpoint keeps what is for it, lets a test out, and sends all once it is resumed', async () => {
  const deliveries = await open();
  await deliveries.endpoints.change('biz_1', pause(), never);
  expect(await deliveries.freeze(newRow(), LEASE, never)).toEqual({ kind: 'kept' });
  expect(await claim(deliveries, 'one')).toEqual([]);
  const test_ = newRow({ callSid: null, webhookId: 'msg_test_1', eventType: 'webhook.test', lane: 'test' });
  await deliveries.freeze(test_, DUE, never);
  expect((await claim(deliveries, 'one')).map(({ row }) => row.eventType)).toEqual(['webhook.test']);
  expect(await deliveries.endpoints.listStopped(never)).toMatchObject([{ id: 'biz_1', reason: 'operator' }]);
  expect(await deliveries.endpoints.change('biz_1', resume({ force: false }), never)).toBe('resumed');
  expect((await claim(deliveries, 'one')).map(({ row }) => row.eventType)).toEqual(['call.completed']);
});

test('a row that its endpoint does not know of is found by the rows and made known', async () => {
  const deliveries = await open();
  const store = stores.at(-1)!;
  await deliveries.freeze(newRow(), DUE, never);
  const { connection } = internalsOf(store);
  await connection('delivery').collection('webhook_endpoints').deleteMany({});
  const past = new Date(Date.now() - 3_600_000);
  await connection('delivery')
    .collection('webhook_deliveries')
    .updateMany({}, { $set: { nextAttemptAt: past } });
  const fresh = createDeliveryStore(store);
  expect(await claim(fresh, 'one')).toEqual([]);
  expect(await fresh.healDue(never)).toBe(1);
  expect(await claim(fresh, 'one')).toHaveLength(1);
});

test('only ids reach a filter: operator objects are refused', async () => {
  const deliveries = await open();
  const operator = { $ne: null } as unknown as string; // what a careless caller could pass
  await expect(deliveries.find(operator, never)).rejects.toThrow(TypeError);
  await expect(deliveries.frozenRevisions(operator, never)).rejects.toThrow(TypeError);
  await expect(deliveries.listByCall(operator, never)).rejects.toThrow(TypeError);
  await expect(deliveries.listAttempts(operator, never)).rejects.toThrow(TypeError);
  const hold = { rowId: 'msg_1@biz_1', endpointId: 'biz_1', owner: 'one', slot: 's', lane: 'first' } as const;
  await expect(deliveries.release({ ...hold, rowId: operator }, never)).rejects.toThrow(TypeError);
  await expect(deliveries.release({ ...hold, owner: operator }, never)).rejects.toThrow(TypeError);
  expect(() => deliveries.endpoints.change(operator, pause(), never)).toThrow(TypeError);
  await expect(deliveries.freeze(newRow({ endpointId: operator }), LEASE, never)).rejects.toThrow('endpointId');
  await expect(deliveries.freeze(newRow(), send(operator, 1), never)).rejects.toThrow(TypeError);
});

async function open(): Promise<DeliveryStore> {
  const store = await openStore(server);
  stores.push(store);
  await provisionDeliveries(store, never);
  return createDeliveryStore(store);
}

function claim(deliveries: DeliveryStore, owner: string, more: { limit?: number } = {}) {
  return deliveries.claimDue({ owner, leaseMs: 60_000, limit: 10, later: 10, signal: never, ...more });
}

function send(owner: string, leaseMs: number): Beginning {
  return { kind: 'send', lease: { owner, leaseMs }, limits: LIMITS };
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
