import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createClaimStore, entrySubject } from './claim-store.ts';
import { createCrashCount } from './crash-count.ts';
import { purgeCalls } from './erasure.ts';
import { callEnded, callErase, callExtracted, callTranscribed } from './fixtures/events.ts';
import { openRig, type Rig } from './fixtures/rig.ts';
import { createPaidStore } from './paid-store.ts';

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
const DEATH = { count: 1, diedAlone: false };
const who = () => ({ config: rig.config, identity: 'callctl', instance: 'test/1', logger: rig.log }) as const;

describe('forgetting a call', () => {
  it('removes its events, dead letters, counts, what was paid and objects, also half-written ones, and nothing of another call', async () => {
    const broker = await rig.connect();
    const [erased, kept] = [callEnded(), callEnded()];
    const claims = createClaimStore(rig.operator);
    for (const event of [erased, kept]) {
      await broker.publish(event);
      await broker.publish(callTranscribed(event, LARGE));
      await rig.operator.js.publish(`call.dead.${event.businessId}.${event.callSid}`, 'junk');
      await createCrashCount(rig.operator).note({ stage: 'transcriber', callSid: event.callSid, revision: 1 }, DEATH);
      const key = { stage: 'summarizer', callSid: event.callSid, revision: 1 };
      await createPaidStore(rig.operator, rig.log).keep(key, new Map([['first', 'words']]));
      await claims.put({ ...event, label: 'x-r1' }, Buffer.alloc(10));
      await rig.operator.js.publish(`$KV.GATEWAY_CALLS.call.${event.callSid}`, '{"from":"+15551230000"}');
      await rig.operator.js.publish(`$O.CALL_EVENTS.C.${event.callSid}.half`, 'half an object');
    }
    await broker.publish(callErase(erased.callSid));

    const purged = await purgeCalls(who(), [erased.callSid]);
    expect(Object.fromEntries(purged.map(({ stream, count }) => [stream, count]))).toEqual({
      CALL_ENDED: 1,
      CALL_TRANSCRIBED: 1,
      CALL_SUMMARIZED: 0,
      CALL_EXTRACTED: 0,
      CALL_DEAD: 1,
      KV_CRASHES: 1,
      KV_PAID: 1,
      KV_GATEWAY_CALLS: 1,
      OBJ_CALL_EVENTS: 10,
    });
    expect(await broker.lastEvent('call.transcribed', kept.businessId, kept.callSid)).toEqual(
      callTranscribed(kept, LARGE),
    );
    expect(await rig.count('OBJ_CALL_EVENTS')).toBe(10);
    expect(await rig.count('KV_CRASHES')).toBe(1);
    expect(await rig.count('KV_PAID')).toBe(1);
    expect(await rig.count('KV_GATEWAY_CALLS')).toBe(1);
    expect(await rig.count('CALL_COMMANDS')).toBe(1);
    const again = await purgeCalls(who(), [erased.callSid]);
    expect(again.every(({ count }) => count === 0)).toBe(true);
  });

  it('keeps the notice that webhook-dispatcher has still to settle, which may tell of the erasure, until it is settled', async () => {
    const broker = await rig.connect();
    const { businessId, callSid } = callEnded();
    await broker.publish(callExtracted(callSid, 1));
    const notices = await rig.operator.js.consumers.get('CALL_EXTRACTED', 'webhook-dispatcher');
    await (await notices.next())?.ackAck();
    await broker.publish(callExtracted(callSid, 2));

    expect((await purgeCalls(who(), [callSid])).find(({ stream }) => stream === 'CALL_EXTRACTED')?.count).toBe(1);
    expect(await broker.lastMark('call.extracted', businessId, callSid)).toMatchObject({ revision: 2 });
    await (await notices.next())?.ackAck();
    await purgeCalls(who(), [callSid]);
    expect(await broker.lastMark('call.extracted', businessId, callSid)).toBeNull();
  });

  it('forgets many calls at once, and two that do it at the same time harm nothing', async () => {
    const broker = await rig.connect();
    const events = Array.from({ length: 20 }, () => callEnded());
    for (const event of [...events, callEnded()]) await broker.publish(event);
    const callSids = events.map(({ callSid }) => callSid);
    const both = await Promise.all([purgeCalls(who(), callSids), purgeCalls(who(), callSids)]);
    const counts = both.map((purged) => purged.find(({ stream }) => stream === 'CALL_ENDED')?.count ?? 0);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(20);
    expect(await rig.count('CALL_ENDED')).toBe(1);
  });

  it('asks the broker for as little whether it holds three large parts of other calls or three thousand', async () => {
    const claims = createClaimStore(rig.operator);
    const heardFor = async (callSid: string): Promise<number> => {
      await claims.put({ businessId: 'biz_1', callSid, label: 'x-r1' }, Buffer.alloc(10));
      let bytes = 0;
      const answers = rig.nc.subscribe('_INBOX.callctl.>', {
        callback: (_error, { data }) => void (bytes += data.length),
      });
      await rig.nc.flush();
      const purged = await purgeCalls(who(), [callSid]);
      await rig.nc.flush();
      answers.unsubscribe();
      expect(purged.find(({ stream }) => stream === 'OBJ_CALL_EVENTS')?.count).toBe(2);
      return bytes;
    };
    const others = async (count: number): Promise<void> => {
      const put = () =>
        claims.put({ businessId: 'biz_1', callSid: callEnded().callSid, label: 'x-r1' }, Buffer.alloc(10));
      for (let at = 0; at < count; at += 100) await Promise.all(Array.from({ length: Math.min(100, count) }, put));
    };
    await others(3);
    const few = await heardFor(callEnded().callSid);
    await others(3_000);
    const many = await heardFor(callEnded().callSid);
    expect(few).toBeGreaterThan(1_000);
    expect(many / few).toBeLessThan(1.2);
  });

  it('finds the objects of an earlier release too, whose chunks tell no name', async () => {
    const [{ callSid }, other] = [callEnded(), callEnded()];
    for (const sid of [callSid, other.callSid]) {
      await rig.operator.js.publish(`$O.CALL_EVENTS.C.${sid}.0123456789abcdef`, 'words');
      await rig.operator.js.publish(entrySubject(`biz_1/${sid}/transcriber-r1-0123456789abcdef`), '{}');
    }
    await purgeCalls(who(), [callSid]);
    expect(await rig.count('OBJ_CALL_EVENTS')).toBe(2);
    expect(await rig.count('OBJ_CALL_EVENTS', `$O.CALL_EVENTS.C.${other.callSid}.*`)).toBe(1);
  });

  it('refuses what is no CallSid instead of removing everything', async () => {
    const broker = await rig.connect();
    const event = callEnded();
    await broker.publish(event);
    await expect(purgeCalls(who(), [event.callSid, '*'])).rejects.toThrow(TypeError);
    await expect(purgeCalls(who(), ['>'])).rejects.toThrow(TypeError);
    expect(await rig.count('CALL_ENDED')).toBe(1);
  });
});
