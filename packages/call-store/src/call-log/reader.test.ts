import type mongoose from 'mongoose';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startMongo, type RunningMongo } from '@pipeline/sandbox/servers';
import { createCallLogWriter } from '../call-log-writer/index.ts';
import { internalsOf, type Store } from '../connection/store.ts';
import { createAnnouncedCalls, createDeliveryStore, provisionDeliveries } from '../deliveries/index.ts';
import { newCallLog, newCallSid } from '../fixtures/call-log.ts';
import { openStore } from '../fixtures/store.ts';
import { createCallLogReader, provisionCallLog, type StoredCursor } from './index.ts';

const never = new AbortController().signal;
let server: RunningMongo;
let store: Store;

// The slowest of the servers, on a machine that does other things, takes ten times as long as mongod.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  server = await startMongo();
});
beforeEach(async () => {
  await store?.close();
  store = await openStore(server);
  await provisionCallLog(store, never);
  await provisionDeliveries(store, never);
});
afterAll(async () => {
  await store?.close();
  await server?.stop();
});

const documents = () => internalsOf(store).connection('calls').collection<{ _id: string }>('call_logs');

/** Stores a call and says that it was stored at another time. */
async function storedAt(at: string, revision = 1): Promise<string> {
  const callSid = newCallSid();
  await createCallLogWriter(store).store(newCallLog(callSid, revision), never);
  await documents().updateOne({ _id: callSid }, { $set: { stored_at: new Date(at) } });
  return callSid;
}

test('what is stored of many calls is told in one look: a CallLog, a tombstone, an expired call, and nothing', async () => {
  const [logged, erased, expired, unknown] = [newCallSid(), newCallSid(), newCallSid(), newCallSid()];
  const writer = createCallLogWriter(store);
  await writer.store(newCallLog(logged), never);
  await writer.erase({ callSid: erased, businessId: 'biz_1', revision: 1 }, never);
  const shell = { _id: expired, businessId: 'biz_1', revision: 1, expired: true, endedAt: new Date() };
  await documents().insertOne(shell);
  const kinds = await createCallLogReader(store).kinds([logged, erased, expired, unknown], never);
  expect(Object.fromEntries(kinds)).toEqual({ [logged]: 'call', [erased]: 'erased', [expired]: 'expired' });
});

test('nothing but CallSids reaches the query, and not too many of them', async () => {
  const { kinds } = createCallLogReader(store);
  await expect(kinds(['{"$ne":null}'], never)).rejects.toThrow(TypeError);
  await expect(kinds(Array.from({ length: 1_001 }, newCallSid), never)).rejects.toThrow(RangeError);
  expect((await kinds([], never)).size).toBe(0);
});

test('CallLogs of a stretch of time come page by page, none twice and none left out, however many share one moment', async () => {
  const inside: string[] = [];
  for (const second of ['00', '01', '01', '01', '01', '02', '03'])
    inside.push(await storedAt(`2025-12-09T10:30:${second}Z`));
  await storedAt('2025-12-09T10:29:59.999Z');
  await storedAt('2025-12-09T10:30:03.001Z');
  const erased = await storedAt('2025-12-09T10:30:02Z');
  await createCallLogWriter(store).erase({ callSid: erased, businessId: 'biz_1', revision: 1 }, never);

  const { storedIn } = createCallLogReader(store);
  const range = { from: new Date('2025-12-09T10:30:00Z'), to: new Date('2025-12-09T10:30:03Z'), limit: 2 };
  const found: string[] = [];
  let after: StoredCursor | null | undefined;
  for (let pages = 0; after !== null; pages += 1) {
    expect(pages).toBeLessThan(10);
    const { marks, next } = await storedIn(after === undefined ? range : { ...range, after }, never);
    expect(marks.length).toBeLessThanOrEqual(2);
    found.push(...marks.map(({ callSid }) => callSid));
    after = next;
  }
  expect(found).toHaveLength(inside.length);
  expect(found.toSorted()).toEqual(inside.toSorted());
});

test('a page names the business and the present revision, which a notice needs', async () => {
  const callSid = await storedAt('2025-12-09T10:30:00Z', 3);
  const range = { from: new Date('2025-12-09T10:00:00Z'), to: new Date('2025-12-09T11:00:00Z'), limit: 10 };
  const { marks, next } = await createCallLogReader(store).storedIn(range, never);
  expect(marks).toEqual([{ callSid, businessId: 'biz_1', revision: 3, storedAt: new Date('2025-12-09T10:30:00Z') }]);
  expect(next).toBeNull();
});

test('a call counts as announced from its first delivery on, whatever became of it', async () => {
  const [announced, silent] = [newCallSid(), newCallSid()];
  const webhookId = `msg_${announced}_completed`;
  await createDeliveryStore(store).freeze(
    {
      webhookId,
      endpointId: 'biz_1',
      businessId: 'biz_1',
      callSid: announced,
      eventType: 'call.completed',
      revision: 1,
      body: Buffer.from('{}'),
    },
    { kind: 'no_endpoint' },
    never,
  );
  const announcedOf = createAnnouncedCalls(store);
  expect([...(await announcedOf([announced, silent], never))]).toEqual([announced]);
  await expect(announcedOf(['*'], never)).rejects.toThrow(TypeError);
});

test('tombstones since a time come page by page, none twice and none left out; a CallLog is none', async () => {
  const writer = createCallLogWriter(store);
  await writer.store(newCallLog(newCallSid()), never);
  const erasedAt = async (at: string): Promise<string> => {
    const callSid = newCallSid();
    await writer.erase({ callSid, businessId: 'biz_1', revision: 1 }, never);
    await documents().updateOne({ _id: callSid }, { $set: { erasedAt: new Date(at) } });
    return callSid;
  };
  await erasedAt('2025-12-09T10:29:59.999Z');
  const inside: string[] = [];
  for (const second of ['00', '01', '01', '01', '02']) inside.push(await erasedAt(`2025-12-09T10:30:${second}Z`));
  const { erasedSince } = createCallLogReader(store);
  const since = new Date('2025-12-09T10:30:00Z');
  const found: string[] = [];
  for (let after; ;) {
    const page = await erasedSince({ since, limit: 2, ...(after === undefined ? {} : { after }) }, never);
    found.push(...page.map(({ callSid }) => callSid));
    after = page.at(-1);
    if (after === undefined) break;
  }
  expect(found).toHaveLength(inside.length);
  expect(found.toSorted()).toEqual(inside.toSorted());
});

test('shells and tombstones that lie in front of the calls of a business cost a retention nothing', async () => {
  const shells = Array.from({ length: 400 }, (_, at) => ({
    _id: newCallSid(),
    businessId: 'biz_1',
    revision: 1,
    expired: true,
    endedAt: new Date(Date.parse('2025-12-01T10:00:00Z') + at),
  }));
  await documents().insertMany(shells);
  const callSid = newCallSid();
  await createCallLogWriter(store).store(newCallLog(callSid, 1, { endedAt: '2025-12-02T10:00:00Z' }), never);
  type Asked = { readonly filter: mongoose.mongo.Filter<{ _id: string }>; readonly sort: Record<string, 1> };
  const asked: Asked[] = [];
  const connection = internalsOf(store).connection('calls');
  connection.set(
    'debug',
    (_collection: string, _method: string, filter: Asked['filter'], options: Omit<Asked, 'filter'>) => {
      asked.push({ filter, sort: options.sort });
    },
  );
  const before = new Date('2025-12-09T10:00:00Z');
  const found = await createCallLogReader(store).endedBefore({ businessId: 'biz_1', before, limit: 50 }, never);
  connection.set('debug', false);
  expect(found.map((mark) => mark.callSid)).toEqual([callSid]);
  const [query] = asked;
  if (query === undefined) throw new Error('nothing was asked');
  const plan = await documents().find(query.filter, { sort: query.sort, limit: 50 }).explain('executionStats');
  expect(plan['executionStats']).toMatchObject({ nReturned: 1, totalKeysExamined: 1, totalDocsExamined: 1 });
});

test('calls of a business that ended before a time come oldest first: no tombstone, no shell, nobody else', async () => {
  const writer = createCallLogWriter(store);
  const endedAt = async (at: string, businessId = 'biz_1'): Promise<string> => {
    const callSid = newCallSid();
    await writer.store(newCallLog(callSid, 1, { endedAt: at, businessId }), never);
    return callSid;
  };
  const [third, first] = [await endedAt('2025-12-03T10:00:00Z'), await endedAt('2025-12-01T10:00:00Z')];
  const second = await endedAt('2025-12-02T10:00:00Z');
  await endedAt('2025-12-04T10:00:00Z');
  await endedAt('2025-12-01T10:00:00Z', 'biz_2');
  const [erased, expired] = [await endedAt('2025-12-01T11:00:00Z'), await endedAt('2025-12-01T12:00:00Z')];
  await writer.erase({ callSid: erased, businessId: 'biz_1', revision: 1 }, never);
  const before = new Date('2025-12-04T10:00:00Z');
  const gone = { callSid: expired, businessId: 'biz_1', revision: 1, endedBefore: before };
  expect(await writer.expire(gone, never)).toEqual({ kind: 'expired' });
  const { endedBefore } = createCallLogReader(store);
  const listed = async (limit: number) =>
    (await endedBefore({ businessId: 'biz_1', before, limit }, never)).map(({ callSid }) => callSid);
  expect(await listed(10)).toEqual([first, second, third]);
  expect(await listed(2)).toEqual([first, second]);
  const sameInstant = await Promise.all(Array.from({ length: 5 }, () => endedAt('2025-12-02T10:00:00Z')));
  const at = new Date('2025-12-02T10:00:00Z');
  const told = [second, ...sameInstant.slice(0, 3)];
  const next = await endedBefore({ businessId: 'biz_1', before, after: { endedAt: at, told }, limit: 10 }, never);
  expect(next.map(({ callSid }) => callSid).toSorted()).toEqual([...sameInstant.slice(3), third].toSorted());
});
