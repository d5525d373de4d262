import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startMongo, type RunningMongo } from '@pipeline/sandbox/servers';
import { internalsOf } from '../connection/store.ts';
import { newCallSid } from '../fixtures/call-log.ts';
import { openStore } from '../fixtures/store.ts';
import {
  createDeliveryStore,
  createOperatorDeliveries,
  DEFAULT_LIMITS,
  pause,
  provisionDeliveries,
  type DeliveryRow,
  type DeliverySearch,
  type DeliveryState,
} from './index.ts';
import { noteLook } from './endpoint/look.ts';
import { noteWaiting, returnSlots } from './endpoint/slots.ts';

const never = new AbortController().signal;
const lease = { owner: 'worker', leaseMs: 60_000 };
const BODY = Buffer.from('{"city":"תל אביב"}');
let server: RunningMongo;

// The slowest of the servers, on a machine that does other things, takes ten times as long as mongod.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  server = await startMongo();
});
afterAll(() => server?.stop());

test('a replay sends the same bytes under the same id again, after a schedule of its own, whatever the row had become', async () => {
  const { operator, ended, sendNext, close } = await open();
  for (const state of ['exhausted', 'disabled', 'cancelled', 'delivered', 'no_endpoint'] as const) {
    const before = await ended('biz_1', state);
    expect(await operator.replay(before.id, 'any', never)).toMatchObject({ kind: 'due', isHeld: false });
    const sent = await vi.waitFor(sendNext, { timeout: 20_000 });
    expect(sent).toMatchObject({ id: before.id, trigger: 'replay', lane: 'later', priorAttempts: before.attempts });
    expect(sent.body?.equals(BODY)).toBe(true);
    expect(sent.bodySha256).toBe(before.bodySha256);
  }
  await close();
});

test('what is in work is left alone, what has no bytes and what nobody knows is told', async () => {
  const { operator, freeze, forget, ended, close } = await open();
  const { rowId } = await freeze('biz_1');
  expect(await operator.replay(rowId, 'any', never)).toEqual({ kind: 'in_work' });
  const erased = await ended('biz_1', 'delivered');
  await forget(erased.id);
  expect(await operator.replay(erased.id, 'any', never)).toEqual({ kind: 'no_body' });
  expect(await operator.replay('msg_x@biz_1', 'any', never)).toEqual({ kind: 'unknown' });
  await expect(operator.replay('not an id', 'any', never)).rejects.toThrow(TypeError);
  await close();
});

test('a replay of failed ones sends none again that was delivered, or replayed by somebody else, meanwhile', async () => {
  const { operator, ended, sendNext, close } = await open();
  const failed = ['exhausted', 'disabled'] as const;
  const row = await ended('biz_1', 'exhausted');
  expect(await operator.replay(row.id, failed, never)).toMatchObject({ kind: 'due' });
  expect(await operator.replay(row.id, failed, never)).toEqual({ kind: 'changed' });
  expect(await vi.waitFor(sendNext, { timeout: 20_000 })).toMatchObject({ id: row.id });
  expect(await operator.replay(row.id, failed, never)).toEqual({ kind: 'changed' });
  await expect(sendNext()).rejects.toThrow('nothing is due');
  expect(await operator.replay(row.id, ['delivered'], never)).toMatchObject({ kind: 'due' });
  await close();
});

test('a replay beside the end of an attempt never takes a row for one whose bytes are gone', async () => {
  const { operator, deliveries, freeze, close } = await open();
  const kinds = new Set<string>();
  for (let round = 0; round < 40; round += 1) {
    const hold = await freeze(`biz_${round}`);
    const [replayed] = await Promise.all([
      operator.replay(hold.rowId, 'any', never),
      deliveries.settle(hold, { next: { state: 'exhausted' }, attempt: null }, never),
    ]);
    kinds.add(replayed.kind);
  }
  expect(['due', 'in_work']).toEqual(expect.arrayContaining([...kinds]));
  await close();
});

test('a search without its index says what to run', async () => {
  const { operator, drop, close } = await open();
  await drop('state_time');
  await expect(operator.search({ states: ['exhausted'] }, { limit: 1 }, never)).rejects.toThrow('run provision');
  await close();
});

test('a replay to an endpoint that is paused waits there, and says so', async () => {
  const { operator, deliveries, ended, sendNext, close } = await open();
  const row = await ended('biz_1', 'exhausted');
  await deliveries.endpoints.change('biz_1', pause(), never);
  expect(await operator.replay(row.id, 'any', never)).toMatchObject({ kind: 'due', isHeld: true });
  await expect(sendNext()).rejects.toThrow('nothing is due');
  await close();
});

test('a replay to an endpoint that asked for a pause, or does not answer, says that it waits', async () => {
  const { operator, deliveries, ended, freeze, close } = await open();
  const [asked, silent] = [await ended('biz_1', 'exhausted'), await ended('biz_2', 'exhausted')];
  const next = { state: 'exhausted' } as const;
  const busy = { kind: 'throttling', retryAfterMs: 3_600_000 } as const;
  await deliveries.settle(await freeze('biz_1'), { next, attempt: null, verdict: busy }, never);
  for (let count = 0; count < 5; count += 1) {
    const hold = await freeze('biz_2');
    await deliveries.settle(hold, { next, attempt: null, verdict: { kind: 'unanswered', retryAfterMs: null } }, never);
  }
  expect(await operator.replay(asked.id, 'any', never)).toMatchObject({ kind: 'due', isHeld: true });
  expect(await operator.replay(silent.id, 'any', never)).toMatchObject({ kind: 'due', isHeld: true });
  await close();
});

test('a row that one process notes is found although another has meanwhile taken the one before it', async () => {
  const { operator, ended, sendNext, close } = await open();
  const [first, second] = [await ended('biz_1', 'exhausted'), await ended('biz_1', 'exhausted')];
  await operator.replay(first.id, 'any', never);
  expect(await vi.waitFor(sendNext, { timeout: 20_000 })).toMatchObject({ id: first.id });
  // The operator's process remembers that something waits; by now nothing does.
  await operator.replay(second.id, 'any', never);
  expect(await vi.waitFor(sendNext, { timeout: 20_000 })).toMatchObject({ id: second.id });
  await close();
});

test('a row that is noted together with a look that has not seen it stays noted', async () => {
  const { deliveries, close } = await open();
  const { endpoints } = deliveries;
  await endpoints.change('biz_1', noteWaiting('later', new Date(Date.now() + 3_600_000)), never);
  const version = (await endpoints.find('biz_1', never))?.version ?? 0;
  const from = new Date(Date.now() - 1_000);
  // The first is being written when the others come, so these are written together.
  await Promise.all([
    endpoints.change('biz_1', returnSlots(['none']), never),
    endpoints.change('biz_1', noteWaiting('later', from), never),
    endpoints.change('biz_1', noteLook(version, { first: null, later: null, test: null }), never),
  ]);
  expect((await endpoints.find('biz_1', never))?.waiting.later).toEqual(from);
  await close();
});

test('a search finds by state, business and time, page by page, each row once', async () => {
  const { operator, ended, close } = await open();
  const rows: DeliveryRow[] = [];
  for (const at of [1, 2, 3, 4, 5]) rows.push(await ended(at % 2 === 0 ? 'biz_2' : 'biz_1', 'exhausted'));
  await ended('biz_1', 'delivered');
  const dead: DeliverySearch = { states: ['exhausted', 'disabled', 'cancelled'] };
  expect(await operator.count(dead, never)).toBe(5);
  expect(await operator.count({ ...dead, businessId: 'biz_2' }, never)).toBe(2);
  expect(await operator.count({ ...dead, eventType: 'call.erased' }, never)).toBe(0);
  const [, , third] = rows;
  const since = third?.createdAt ?? new Date();
  expect(await operator.count({ ...dead, since }, never)).toBe(rows.filter((row) => row.createdAt >= since).length);
  expect(await operator.count({ ...dead, until: since }, never)).toBe(
    rows.filter((row) => row.createdAt < since).length,
  );
  const seen: string[] = [];
  for (let after; ;) {
    const page = await operator.search(dead, { limit: 2, ...(after === undefined ? {} : { after }) }, never);
    seen.push(...page.map((row) => row.id));
    after = page.at(-1);
    if (after === undefined) break;
    expect(after.body).toBeNull();
  }
  expect(seen).toEqual(rows.map((row) => row.id));
  await close();
});

test('a search finds rows of the same millisecond once each, by state and business, wherever a page ends', async () => {
  const { operator, ended, setCreatedAt, close } = await open();
  const states = ['exhausted', 'disabled', 'exhausted', 'cancelled', 'exhausted'] as const;
  const ids: string[] = [];
  for (const state of states) ids.push((await ended('biz_1', state)).id);
  const at = new Date('2025-12-09T10:30:00Z');
  await setCreatedAt(at);
  ids.push((await ended('biz_1', 'exhausted')).id);
  for (const limit of [1, 2, 3, 10]) {
    for (const search of [{}, { businessId: 'biz_1' }, { since: at }, { until: new Date(at.getTime() + 1) }]) {
      const seen: string[] = [];
      for (let after; ;) {
        const dead = { states: ['exhausted', 'disabled', 'cancelled'], ...search } as const;
        const page = await operator.search(dead, { limit, ...(after === undefined ? {} : { after }) }, never);
        seen.push(...page.map((row) => row.id));
        after = page.at(-1);
        if (after === undefined) break;
      }
      const old = ids.slice(0, 5).toSorted();
      expect(seen).toEqual('until' in search ? old : [...old, ids[5]]);
    }
  }
  await close();
});

async function open() {
  const store = await openStore(server);
  await provisionDeliveries(store, never);
  const deliveries = createDeliveryStore(store);
  const operator = createOperatorDeliveries(store);
  const freeze = async (endpointId: string) => {
    const callSid = newCallSid();
    const webhookId = `msg_${callSid}_completed`;
    const row = {
      webhookId,
      endpointId,
      businessId: endpointId,
      callSid,
      eventType: 'call.completed',
      revision: 1,
    } as const;
    const beginning = { kind: 'send', lease, limits: DEFAULT_LIMITS } as const;
    const frozen = await deliveries.freeze({ ...row, body: BODY }, beginning, never);
    if (frozen.kind !== 'held') throw new Error(`not held: ${frozen.kind}`);
    return frozen.hold;
  };
  const settleAs = async (
    hold: Awaited<ReturnType<typeof freeze>>,
    state: Exclude<DeliveryState, 'pending' | 'delivering'>,
  ) => {
    const settled = await deliveries.settle(
      hold,
      { next: { state }, charged: state !== 'no_endpoint', attempt: null },
      never,
    );
    if (settled.kind !== 'settled') throw new Error('the lease was lost');
    const [row] = await deliveries.find(hold.rowId.split('@')[0] ?? '', never);
    if (row === undefined) throw new Error('the row is not there');
    return row;
  };
  return {
    deliveries,
    operator,
    freeze,
    ended: async (endpointId: string, state: Exclude<DeliveryState, 'pending' | 'delivering'>) =>
      settleAs(await freeze(endpointId), state),
    /** What the dispatchers would send next; it is settled as delivered. */
    sendNext: async () => {
      const [claimed] = await deliveries.claimDue({
        ...lease,
        owner: randomBytes(4).toString('hex'),
        limit: 1,
        later: 1,
        signal: never,
      });
      if (claimed === undefined) throw new Error('nothing is due');
      await settleAs(claimed.hold, 'delivered');
      return claimed.row;
    },
    drop: (index: string) =>
      internalsOf(store).connection('delivery').collection('webhook_deliveries').dropIndex(index),
    /** Of all rows. */
    setCreatedAt: async (createdAt: Date) => {
      const rows = internalsOf(store).connection('delivery').collection('webhook_deliveries');
      await rows.updateMany({}, { $set: { createdAt } });
    },
    forget: async (id: string) => {
      await internalsOf(store)
        .connection('delivery')
        .collection('webhook_deliveries')
        .updateOne({ _id: id as never }, { $set: { body: null } });
    },
    close: store.close,
  };
}
