import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import type { JetStreamClient } from 'nats';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { API_ERRORS } from './broker-error.ts';
import { createClaimStore, entrySubject } from './claim-store.ts';
import { callEnded, callTranscribed } from './fixtures/events.ts';
import { openRig, summarizer, until, type Rig } from './fixtures/rig.ts';

let server: RunningNats;
let rig: Rig;
beforeAll(async () => void (server = await startNats()));
afterAll(() => server.stop());
beforeEach(async () => {
  rig = await openRig(server.url);
  await rig.provision();
});
afterEach(() => rig.close());

const LARGE = 'א'.repeat(350_000);

const bucketBytes = async () => (await rig.operator.jsm.streams.info('OBJ_CALL_EVENTS')).state.bytes;

/** The one object in the bucket. */
async function onlyKey(): Promise<string> {
  const objects = await (await rig.operator.js.views.os('CALL_EVENTS')).list();
  expect(objects).toHaveLength(1);
  return objects[0]?.name ?? '';
}

describe('large events', () => {
  it('an event of 700 KiB travels by reference, unseen by stages, and the message itself stays small', async () => {
    const broker = await rig.connect();
    const event = callTranscribed(callEnded(), LARGE);
    await broker.publish(event);
    const { state } = await rig.operator.jsm.streams.info('CALL_TRANSCRIBED');
    expect(state.bytes).toBeLessThan(4_096);
    const definition = summarizer(rig);
    const stage = await broker.startStage(definition);
    await until('it is settled', () => definition.metrics.settled.length === 1);
    expect(definition.seen[0]?.data.transcript).toEqual(event.data.transcript);
    expect(await broker.lastEvent('call.transcribed', event.businessId, event.callSid)).toEqual(event);
    await stage.stop();
  });

  it('is named by business, call, stage and revision, and readable by the tools of the object store', async () => {
    const broker = await rig.connect();
    const event = callTranscribed(callEnded(), LARGE);
    await broker.publish(event);
    const key = await onlyKey();
    expect(key).toMatch(new RegExp(`^biz_1/${event.callSid}/transcriber-r1-[0-9a-f]{16}$`));
    const store = await rig.operator.js.views.os('CALL_EVENTS');
    const bytes = await store.getBlob(key);
    expect(JSON.parse(Buffer.from(bytes ?? []).toString())).toEqual(event);
  });

  it('a deleted object hands the call on with OBJECT_MISSING and what was inline', async () => {
    const broker = await rig.connect();
    const event = callTranscribed(callEnded(), LARGE);
    await broker.publish(event);
    await (await rig.operator.js.views.os('CALL_EVENTS')).delete(await onlyKey());
    const definition = summarizer(rig);
    const stage = await broker.startStage(definition);
    await until('it is settled', () => definition.metrics.settled.length === 1);
    expect(definition.seen).toEqual([]);
    const [handedOn] = definition.handedOn;
    expect(handedOn?.failure).toEqual({ code: 'OBJECT_MISSING', state: 'failed' });
    expect(handedOn?.event.data).toMatchObject({ call: event.data.call, transcript: null });
    expect(definition.metrics.settled[0]?.outcome).toBe('handed_on');
    await stage.stop();
  });

  it('lost or changed chunks are noticed, and never waited for', async () => {
    const claims = createClaimStore(rig.operator);
    const owner = { businessId: 'biz_1', callSid: callEnded().callSid, label: 'x-r1' };
    const bytes = Buffer.alloc(300_000, 'abc');
    const reference = await claims.put(owner, bytes);
    expect(await claims.get(reference)).toEqual({ kind: 'found', bytes });
    expect(await claims.get({ ...reference, sha256: 'a'.repeat(64) })).toEqual({ kind: 'corrupt' });
    const chunks = await rig.operator.jsm.streams.getMessage('OBJ_CALL_EVENTS', { seq: 2 });
    await rig.operator.jsm.streams.deleteMessage('OBJ_CALL_EVENTS', chunks.seq);
    expect(await claims.get(reference)).toEqual({ kind: 'missing' });
    await rig.operator.js.publish(entrySubject(reference.key), 'no entry');
    expect(await claims.get(reference)).toEqual({ kind: 'corrupt' });
    expect(await claims.get({ ...reference, key: `${reference.key}x` })).toEqual({ kind: 'missing' });
  });

  it('a put that finds no room takes back what it wrote, so that smaller objects still fit', async () => {
    await rig.operator.jsm.streams.update('OBJ_CALL_EVENTS', { max_bytes: 1_048_576 });
    const claims = createClaimStore(rig.operator);
    const owner = { businessId: 'biz_1', callSid: callEnded().callSid, label: 'x-r1' };
    for (let tries = 0; tries < 3; tries += 1) {
      await expect(claims.put(owner, Buffer.alloc(3_000_000))).rejects.toMatchObject({
        api_error: { err_code: API_ERRORS.full },
      });
      expect(await bucketBytes()).toBeLessThan(1_024);
    }
    const small = Buffer.alloc(700_000, 'abc');
    expect(await claims.get(await claims.put(owner, small))).toEqual({ kind: 'found', bytes: small });
  });

  it('what a failed put cannot take back at once is removed before the next one', async () => {
    let isDown = false;
    const publish: JetStreamClient['publish'] = async (...args) => {
      if (isDown) throw new Error('no answer');
      isDown = (await rig.operator.js.publish(...args)).seq === 2;
      if (isDown) throw new Error('stored, and no answer');
      return rig.operator.js.publish('call.ended.x.y', '');
    };
    const js: JetStreamClient = Object.assign(Object.create(rig.operator.js), { publish });
    const claims = createClaimStore({ ...rig.operator, js });
    const owner = { businessId: 'biz_1', callSid: callEnded().callSid, label: 'x-r1' };
    await expect(claims.put(owner, Buffer.alloc(500_000))).rejects.toThrow('no answer');
    expect(await bucketBytes()).toBeGreaterThan(200_000);
    isDown = false;
    await claims.put(owner, Buffer.alloc(10));
    expect(await bucketBytes()).toBeLessThan(2_048);
  });

  it('a removed object is missing and leaves its room', async () => {
    const claims = createClaimStore(rig.operator);
    const owner = { businessId: 'biz_1', callSid: callEnded().callSid, label: 'x-r1' };
    const reference = await claims.put(owner, Buffer.alloc(500_000));
    await claims.remove(reference);
    expect(await claims.get(reference)).toEqual({ kind: 'missing' });
    expect(await bucketBytes()).toBeLessThan(1_024);
  });
});
