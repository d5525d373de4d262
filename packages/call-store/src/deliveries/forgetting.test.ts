import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startMongo, type RunningMongo } from '@pipeline/sandbox/servers';
import { internalsOf, type Store } from '../connection/store.ts';
import { newCallSid } from '../fixtures/call-log.ts';
import { openStore } from '../fixtures/store.ts';
import {
  createDeliveryStore,
  createForgettingDeliveries,
  createOperatorDeliveries,
  DEFAULT_LIMITS,
  MAX_FORGOTTEN,
  provisionDeliveries,
  type AttemptOutcome,
  type EventType,
} from './index.ts';

const never = new AbortController().signal;
const WORDS = 'רחוב הרצל 5';
const BODY = Buffer.from(`{"summary":"${WORDS}","phone":"+972501234567"}`);
let server: RunningMongo;
let store: Store;

// The slowest of the servers, on a machine that does other things, takes ten times as long as mongod.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  server = await startMongo();
  store = await openStore(server);
  await provisionDeliveries(store, never);
});
afterAll(async () => {
  await store?.close();
  await server?.stop();
});

const deliveries = () => createDeliveryStore(store);
const forgetting = () => createForgettingDeliveries(store);

/** A webhook that a worker has in hand. Each is of a business of its own, so that none waits for another's slot. */
async function held(callSid: string, eventType: EventType = 'call.completed') {
  const endpointId = `biz_${callSid.slice(2, 10)}_${eventType.slice(5)}`;
  const webhookId = `msg_${callSid}_${eventType.slice(5)}`;
  const row = { webhookId, endpointId, businessId: endpointId, callSid, eventType, revision: 1, body: BODY };
  const beginning = {
    kind: 'send',
    lease: { owner: 'worker', leaseMs: 60_000 },
    limits: DEFAULT_LIMITS,
  } as const;
  const frozen = await deliveries().freeze(row, beginning, never);
  if (frozen.kind !== 'held') throw new Error(`not held: ${frozen.kind}`);
  return frozen.hold;
}

const settledAs = (next: AttemptOutcome['next']): AttemptOutcome => ({
  next,
  attempt: {
    trigger: 'schedule',
    worker: 'worker',
    host: 'hooks.example',
    address: '93.184.216.34',
    phases: { dns: 1, connect: 1, tls: 1, firstByte: 1, total: 4 },
    httpStatus: 200,
    code: 'delivered',
    requestHeaders: { 'x-caller': WORDS },
    responseHeaders: { 'x-echo': WORDS },
    responseExcerpt: `you said ${WORDS}`,
    traceId: null,
  },
});

/** Everything that the database holds of deliveries of a call, as text. */
async function heldOf(callSid: string): Promise<string> {
  const database = internalsOf(store).connection('delivery');
  const rows = await database.collection('webhook_deliveries').find({ callSid }, { promoteBuffers: true }).toArray();
  const ids = rows.map(({ _id }) => String(_id));
  const tries = await database
    .collection('webhook_attempts')
    .find({ deliveryId: { $in: ids } })
    .toArray();
  expect(rows.length).toBeGreaterThan(0);
  return JSON.stringify([rows, tries], (_key, value: unknown) => bytesOf(value)?.toString('utf8') ?? value);
}

function bytesOf(value: unknown): Buffer | null {
  const isBinary = typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer';
  return isBinary && 'data' in value ? Buffer.from(value.data as number[]) : null;
}

test('of an erased call neither bytes nor what receivers answered stay, and nothing of it is sent or sent again', async () => {
  const [delivered, waiting, sending] = [newCallSid(), newCallSid(), newCallSid()];
  await deliveries().settle(await held(delivered), settledAs({ state: 'delivered' }), never);
  await deliveries().settle(await held(waiting), settledAs({ state: 'pending', retryInMs: 0 }), never);
  const inHand = await held(sending);
  const calls = [delivered, waiting, sending];
  for (const callSid of calls) expect(await heldOf(callSid)).toContain(WORDS);

  expect(await forgetting().erase(calls, never)).toEqual({ bodies: 3, attempts: 2 });
  for (const callSid of calls) expect(await heldOf(callSid)).not.toMatch(new RegExp(`${WORDS}|972501234567`));
  const states = await Promise.all(calls.map(async (callSid) => (await deliveries().listByCall(callSid, never))[0]));
  expect(states.map((row) => row?.state)).toEqual(['delivered', 'cancelled', 'cancelled']);
  expect(await deliveries().settle(inHand, settledAs({ state: 'delivered' }), never)).toEqual({ kind: 'lost' });
  expect(await heldOf(sending)).not.toContain(WORDS);
  for (const row of states) {
    expect(await createOperatorDeliveries(store).replay(row?.id ?? '', 'any', never)).toEqual({ kind: 'no_body' });
  }
  expect(await forgetting().erase(calls, never), 'a second time').toEqual({ bodies: 0, attempts: 0 });
});

test('call.erased of that call keeps its bytes and is sent, and other calls are as they were', async () => {
  const [erased, other] = [newCallSid(), newCallSid()];
  const told = await held(erased, 'call.erased');
  await held(erased);
  const before = await held(other).then(() => heldOf(other));
  await forgetting().erase([erased], never);
  const rows = await deliveries().listByCall(erased, never);
  expect(Object.fromEntries(rows.map(({ eventType, state }) => [eventType, state]))).toEqual({
    'call.erased': 'delivering',
    'call.completed': 'cancelled',
  });
  expect((await deliveries().find(`msg_${erased}_erased`, never))[0]?.body).toEqual(BODY);
  expect(await deliveries().settle(told, settledAs({ state: 'delivered' }), never)).toMatchObject({ kind: 'settled' });
  expect(await heldOf(other)).toBe(before);
});

test('retention empties webhooks that are at an end and leaves those that still have to arrive', async () => {
  const [delivered, sending] = [newCallSid(), newCallSid()];
  await deliveries().settle(await held(delivered), settledAs({ state: 'delivered' }), never);
  const inHand = await held(sending);
  expect(await forgetting().open([delivered, sending], never)).toEqual(new Set([sending]));
  expect(await forgetting().retire([delivered, sending], never)).toEqual({ bodies: 1, attempts: 1 });
  expect(await heldOf(delivered)).not.toContain(WORDS);
  expect(await heldOf(sending)).toContain(WORDS);
  expect(await deliveries().settle(inHand, settledAs({ state: 'delivered' }), never)).toMatchObject({
    kind: 'settled',
  });
  expect((await deliveries().listByCall(delivered, never))[0]).toMatchObject({ state: 'delivered', attempts: 1 });
});

test('nothing but CallSids reaches a filter, and not too many of them', async () => {
  await expect(forgetting().erase(['{"$ne":null}'], never)).rejects.toThrow(TypeError);
  const many = Array.from({ length: MAX_FORGOTTEN + 1 }, newCallSid);
  await expect(forgetting().retire(many, never)).rejects.toThrow(RangeError);
});
