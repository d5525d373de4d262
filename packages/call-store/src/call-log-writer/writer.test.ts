import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { RetryLaterError, type NewCallLog } from '@pipeline/contracts';
import { startMongo, type RunningMongo } from '@pipeline/sandbox/servers';
import { createCallLogReader, provisionCallLog } from '../call-log/index.ts';
import { internalsOf, type Store } from '../connection/store.ts';
import { newCallLog, newCallSid } from '../fixtures/call-log.ts';
import { openStore } from '../fixtures/store.ts';
import { createCallLogWriter } from './index.ts';

const never = new AbortController().signal;
let server: RunningMongo;
let store: Store;

// The slowest of the servers, on a machine that does other things, takes ten times as long as mongod.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  server = await startMongo();
  store = await openStore(server);
  await provisionCallLog(store, never);
});
afterAll(async () => {
  await store?.close();
  await server?.stop();
});

test('what is stored comes back word for word, stamped by the clock of the database', async () => {
  const { writer, reader } = openCalls();
  const log = newCallLog(newCallSid(), 1, { brand_new: 'kept' });
  const result = await writer.store(log, never);
  expect(result.kind).toBe('stored');
  const found = await reader.find(log.callSid, never);
  if (found.kind !== 'call' || result.kind === 'erased') throw new Error('no CallLog');
  const { stored_at, ...rest } = found.callLog;
  expect(rest).toEqual({ ...log, startedAt: '2025-12-09T10:25:00.000Z', previous: null });
  expect(Math.abs(Date.parse(stored_at) - Date.now())).toBeLessThan(60_000);
  expect(result.callLog).toEqual(found.callLog);
});

test('a higher revision replaces the document as a whole and keeps what the one before said', async () => {
  const { writer, raw } = openCalls();
  const callSid = newCallSid();
  await writer.store(newCallLog(callSid, 1, { only_in_first: true }), never);
  const before = await raw(callSid);
  const result = await writer.store(newCallLog(callSid, 3), never);
  if (result.kind !== 'stored') throw new Error('not stored');
  const { summary, fields } = newCallLog(callSid, 1);
  expect(result.callLog.previous).toEqual({ revision: 1, summary, fields });
  expect(result.callLog.summary).toBe('$summary of revision 3');
  expect(result.callLog).not.toHaveProperty('only_in_first');
  const after = await raw(callSid);
  expect(after['createdAt']).toEqual(before['createdAt']);
});

test('a re-analysis that failed takes nothing from what stands, however often; the next good one replaces it', async () => {
  const { writer, reader } = openCalls();
  const callSid = newCallSid();
  const first = newCallLog(callSid, 1);
  await writer.store(first, never);
  const failedPart = { ...first.stages.extractor, state: 'failed', code: 'OUTPUT_INVALID' };
  const stages = { ...first.stages, extractor: failedPart } as NewCallLog['stages'];
  const nothing: Partial<NewCallLog> = { status: 'partial', summary: null, fields: [], extracted_city: null, stages };
  for (const revision of [2, 3]) {
    const result = await writer.store(newCallLog(callSid, revision, nothing), never);
    expect(result).toMatchObject({ kind: 'stored', callLog: { revision, failed_revision: { revision, stages } } });
    const again = await writer.store(newCallLog(callSid, revision, nothing), never);
    expect(again).toMatchObject({ kind: 'kept', callLog: { failed_revision: { revision } } });
  }
  const found = await reader.find(callSid, never);
  if (found.kind !== 'call') throw new Error('no CallLog');
  const { stored_at: _stored_at, failed_revision: _failed, ...standing } = found.callLog;
  expect(standing).toEqual({ ...first, startedAt: '2025-12-09T10:25:00.000Z', previous: null, revision: 3 });
  const good = await writer.store(newCallLog(callSid, 4), never);
  expect(good).toMatchObject({ kind: 'stored', callLog: { revision: 4, previous: { summary: first.summary } } });
  expect(good.kind === 'stored' && good.callLog).not.toHaveProperty('failed_revision');
});

test('a partial CallLog is replaced by one that is no worse, and never takes the place in `previous` of what was before it', async () => {
  const { writer } = openCalls();
  const callSid = newCallSid();
  const first = newCallLog(callSid, 1);
  const stages = { transcriber: first.stages.transcriber };
  const partial: Partial<NewCallLog> = { status: 'partial', stages, summary: null, fields: [] };
  await writer.store(newCallLog(callSid, 1, partial), never);
  expect(await writer.store(newCallLog(callSid, 2, partial), never)).toMatchObject({
    kind: 'stored',
    callLog: { revision: 2, previous: { revision: 1 } },
  });
  const third = await writer.store(newCallLog(callSid, 3), never);
  expect(third).toMatchObject({ kind: 'stored', callLog: { revision: 3, previous: { revision: 1 } } });
  const fourth = await writer.store(newCallLog(callSid, 4), never);
  expect(fourth).toMatchObject({ callLog: { previous: { revision: 3, summary: '$summary of revision 3' } } });
});

test('an equal or lower revision changes nothing: the first result of a revision stands', async () => {
  const { writer, raw } = openCalls();
  const callSid = newCallSid();
  await writer.store(newCallLog(callSid, 2), never);
  const before = await raw(callSid);
  for (const revision of [1, 2]) {
    const result = await writer.store(newCallLog(callSid, revision, { summary: 'another answer' }), never);
    expect(result).toMatchObject({ kind: 'kept', callLog: { revision: 2, summary: '$summary of revision 2' } });
  }
  expect(await raw(callSid)).toEqual(before);
});

test('retention leaves a shell without a word, which refuses every later result; a newer revision, a young call and an erased one stay', async () => {
  const { writer, raw, reader } = openCalls();
  const ended = { businessId: 'biz_1', endedBefore: new Date('2025-12-10T00:00:00Z') };
  const callSid = newCallSid();
  await writer.store(newCallLog(callSid, 2), never);
  expect(await writer.expire({ ...ended, callSid, revision: 1 }, never), 'of another revision').toEqual({
    kind: 'kept',
  });
  const young = { callSid, businessId: 'biz_1', revision: 2, endedBefore: new Date('2025-12-09T10:30:00Z') };
  expect(await writer.expire(young, never), 'before its time').toEqual({ kind: 'kept' });
  expect(await writer.expire({ ...ended, callSid, revision: 2, businessId: 'biz_2' }, never)).toEqual({ kind: 'kept' });
  expect((await reader.find(callSid, never)).kind).toBe('call');
  expect(await writer.expire({ ...ended, callSid, revision: 2 }, never)).toEqual({ kind: 'expired' });
  expect(await raw(callSid)).toEqual({
    _id: callSid,
    businessId: 'biz_1',
    revision: 2,
    endedAt: new Date('2025-12-09T10:30:00.250Z'),
    expired: true,
  });
  expect(await writer.store(newCallLog(callSid, 3), never)).toEqual({ kind: 'erased' });
  expect(await writer.expire({ ...ended, callSid, revision: 2 }, never), 'a second time').toEqual({ kind: 'kept' });
  await writer.erase({ callSid, businessId: 'biz_1', revision: 1 }, never);
  expect(await writer.expire({ ...ended, callSid, revision: 2 }, never)).toEqual({ kind: 'kept' });
  expect(await raw(callSid)).toMatchObject({ erased: true });
});

test('ten writers of one call, fifty rounds: one document, and the highest revision wins', async () => {
  const { writer, reader, count } = openCalls();
  for (let round = 0; round < 50; round += 1) {
    const callSid = newCallSid();
    const revisions = Array.from({ length: 10 }, (_, place) => 1 + ((place * 7 + round) % 10));
    const results = await Promise.all(revisions.map((revision) => writer.store(newCallLog(callSid, revision), never)));
    const highest = results[revisions.indexOf(10)];
    expect(highest).toMatchObject({ callLog: { revision: 10 } });
    expect(await reader.find(callSid, never)).toMatchObject({ kind: 'call', callLog: { revision: 10 } });
    expect(await count(callSid)).toBe(1);
  }
});

test('ten writers of one revision, fifty rounds: one of them is stored and all answer with that one', async () => {
  const { writer } = openCalls();
  for (let round = 0; round < 50; round += 1) {
    const callSid = newCallSid();
    const summaries = Array.from({ length: 10 }, (_, place) => `answer ${place}`);
    const results = await Promise.all(
      summaries.map((summary) => writer.store(newCallLog(callSid, 1, { summary }), never)),
    );
    expect(results.filter((result) => result.kind === 'stored')).toHaveLength(1);
    const told = new Set(results.map((result) => (result.kind === 'erased' ? '' : result.callLog.summary)));
    expect(told.size).toBe(1);
  }
});

test('a tombstone wins for ever, over what was there and what comes later, and holds no words', async () => {
  const { writer, reader, raw } = openCalls();
  const callSid = newCallSid();
  await writer.store(newCallLog(callSid, 4), never);
  expect(await writer.erase({ callSid, businessId: 'biz_1', revision: 1 }, never)).toEqual({ kind: 'erased' });
  expect(await writer.erase({ callSid, businessId: 'biz_1', revision: 1 }, never)).toEqual({ kind: 'already' });
  expect(await writer.store(newCallLog(callSid, 9), never)).toEqual({ kind: 'erased' });
  expect(await reader.find(callSid, never)).toMatchObject({ kind: 'erased', businessId: 'biz_1', revision: 4 });
  expect(Object.keys(await raw(callSid)).toSorted()).toEqual(['_id', 'businessId', 'erased', 'erasedAt', 'revision']);
});

test('a call that nobody stored yet can be erased, and its late result is dropped', async () => {
  const { writer, reader } = openCalls();
  const callSid = newCallSid();
  expect(await writer.erase({ callSid, businessId: 'biz_1', revision: 2 }, never)).toEqual({ kind: 'erased' });
  expect(await writer.store(newCallLog(callSid, 1), never)).toEqual({ kind: 'erased' });
  expect(await reader.find(callSid, never)).toMatchObject({ kind: 'erased', businessId: 'biz_1', revision: 2 });
});

test('a business cannot erase the call of another one', async () => {
  const { writer, reader } = openCalls();
  const callSid = newCallSid();
  await writer.store(newCallLog(callSid, 1), never);
  expect(await writer.erase({ callSid, businessId: 'biz_2', revision: 1 }, never)).toEqual({ kind: 'other_business' });
  expect((await reader.find(callSid, never)).kind).toBe('call');
});

test('B47 a result that names another business changes nothing, whatever its revision: no words change hands', async () => {
  const { writer, raw } = openCalls();
  const callSid = newCallSid();
  await writer.store(newCallLog(callSid, 1), never);
  const before = await raw(callSid);
  for (const revision of [1, 2]) {
    const result = await writer.store(newCallLog(callSid, revision, { businessId: 'biz_2' }), never);
    expect(result).toMatchObject({ kind: 'kept', callLog: { businessId: 'biz_1', revision: 1 } });
  }
  expect(await raw(callSid)).toEqual(before);
});

test('a late result does not bring back what retention removed', async () => {
  const { writer, reader, documents, count } = openCalls();
  const callSid = newCallSid();
  await writer.store(newCallLog(callSid, 2), never);
  const shell = { businessId: 'biz_1', revision: 2, endedAt: new Date(), expired: true };
  await documents.replaceOne({ _id: callSid }, shell);
  const expired = { kind: 'expired', businessId: 'biz_1', revision: 2 };
  expect(await reader.find(callSid, never)).toEqual(expired);
  for (const revision of [2, 3]) {
    expect(await writer.store(newCallLog(callSid, revision), never)).toEqual({ kind: 'erased' });
  }
  expect(await reader.find(callSid, never)).toEqual(expired);
  expect(await count(callSid)).toBe(1);
});

test('any sequence of results and erasures ends as the rule says', async () => {
  const { writer, reader } = openCalls();
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('store' as const),
        revision: fc.integer({ min: 1, max: 6 }),
        summary: fc.string(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('erase' as const), revision: fc.integer({ min: 1, max: 6 }) }),
    },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
      const callSid = newCallSid();
      let model: { kind: string; revision: number; summary?: string } = { kind: 'none', revision: 0 };
      for (const move of steps) {
        if (move.kind === 'erase') {
          await writer.erase({ callSid, businessId: 'biz_1', revision: move.revision }, never);
          const revision = model.kind === 'erased' ? model.revision : Math.max(model.revision, move.revision);
          model = { kind: 'erased', revision };
          continue;
        }
        const result = await writer.store(newCallLog(callSid, move.revision, { summary: move.summary }), never);
        const wins = model.kind !== 'erased' && move.revision > model.revision;
        expect(result.kind).toBe(model.kind === 'erased' ? 'erased' : wins ? 'stored' : 'kept');
        if (wins) model = { kind: 'call', revision: move.revision, summary: move.summary };
      }
      const found = await reader.find(callSid, never);
      const seen = found.kind === 'call' ? { ...found.callLog, kind: 'call' } : { revision: 0, ...found };
      expect(seen).toMatchObject(model);
    }),
    { numRuns: 60 },
  );
});

test('only CallSids reach a filter, and a CallLog that is none is refused', async () => {
  const { writer, reader } = openCalls();
  const operator = { $ne: null } as unknown as string; // what a careless caller could pass
  await expect(reader.find(operator, never)).rejects.toThrow(TypeError);
  await expect(writer.erase({ callSid: operator, businessId: 'biz_1', revision: 1 }, never)).rejects.toThrow('callSid');
  await expect(writer.store(newCallLog(operator), never)).rejects.toThrow('callSid');
});

test('a transcript of millions of characters still becomes one CallLog', async () => {
  const { writer } = openCalls();
  const text = 'ש'.repeat(3_900_000);
  const segments = Array.from({ length: 40 }, (_, place) => ({
    speaker: 'caller' as const,
    text: text.slice(0, 97_500),
    startMs: place,
    endMs: place + 1,
  }));
  const result = await writer.store(
    newCallLog(newCallSid(), 1, { final_transcript: text, final_segments: segments }),
    never,
  );
  if (result.kind !== 'stored') throw new Error('not stored');
  expect(result.callLog).toMatchObject({ final_segments: [], omitted: ['final_segments'] });
  expect(result.callLog.final_transcript).toHaveLength(text.length);
});

test('an aborted caller is told its reason and not a failure of the database', async () => {
  const { reader } = openCalls();
  const stop = new AbortController();
  stop.abort(new Error('shutting down'));
  await expect(reader.find(newCallSid(), stop.signal)).rejects.toThrow('shutting down');
});

test('a server that is gone is "again" without a deadline, and what it acknowledged is there after SIGKILL', async () => {
  const { writer, reader } = openCalls();
  const callSids = Array.from({ length: 50 }, newCallSid);
  for (const callSid of callSids) await writer.store(newCallLog(callSid), never);
  await server.kill();
  await expect(reader.find(newCallSid(), never)).rejects.toMatchObject({ name: 'RetryLaterError', deadline: 'none' });
  await expect(writer.store(newCallLog(newCallSid()), never)).rejects.toThrow(RetryLaterError);
  await server.restart();
  await expect.poll(() => store.readiness(), { timeout: 20_000 }).toEqual({ ok: true });
  for (const callSid of callSids) expect((await reader.find(callSid, never)).kind).toBe('call');
});

function openCalls() {
  const documents = internalsOf(store).connection('calls').collection<{ _id: string }>('call_logs');
  return {
    writer: createCallLogWriter(store),
    reader: createCallLogReader(store),
    documents,
    raw: async (callSid: string): Promise<Record<string, unknown>> => ({
      ...(await documents.findOne({ _id: callSid })),
    }),
    count: (callSid: string) => documents.countDocuments({ _id: callSid }),
  };
}
