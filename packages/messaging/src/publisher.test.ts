import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PermanentError } from '@pipeline/contracts';
import { BrokerError } from './broker-error.ts';
import { callEnded, callErase, callTranscribed } from './fixtures/events.ts';
import { openRig, until, type Rig } from './fixtures/rig.ts';

let server: RunningNats;
let rig: Rig;
beforeAll(async () => void (server = await startNats()));
afterAll(() => server.stop());
beforeEach(async () => {
  rig = await openRig(server.url);
  await rig.provision();
});
afterEach(() => rig.close());

const warnings = () => rig.log.lines.filter(({ message }) => message.startsWith('not published yet'));

describe('publishing', () => {
  it('the same event any number of times is stored once', async () => {
    const broker = await rig.connect();
    const event = callEnded();
    await Promise.all(Array.from({ length: 5 }, () => broker.publish(event)));
    expect(await rig.count('CALL_ENDED')).toBe(1);
  });

  it('a server that is killed in the middle and comes back stores every event once', async () => {
    const broker = await rig.connect();
    const events = Array.from({ length: 60 }, () => callEnded());
    let stored = 0;
    const publishing = Promise.all(events.map((event) => broker.publish(event).then(() => (stored += 1))));
    await until('some are stored', () => stored > 0);
    await server.kill();
    const late = callEnded();
    const publishingLate = broker.publish(late);
    await until('the loss is noticed', () => !broker.readiness().ok && warnings().length > 0);
    await server.restart();
    await Promise.all([publishing, publishingLate]);
    expect(broker.readiness()).toEqual({ ok: true });
    await until('the test is connected again', rig.operator.isConnected);
    expect(await rig.count('CALL_ENDED')).toBe(events.length + 1);
  });

  it('a full stream refuses the new event, keeps the old ones, and takes it when there is room', async () => {
    const broker = await rig.connect();
    const room = 64 * 1_024;
    await rig.operator.jsm.streams.update('CALL_TRANSCRIBED', { max_bytes: room });
    const old = callTranscribed(callEnded(), 'x'.repeat(40_000));
    await broker.publish(old);
    const event = callTranscribed(callEnded(), 'y'.repeat(40_000));
    const publishing = broker.publish(event);
    await until('it was refused twice', () => warnings().length >= 2);
    expect(warnings()[0]?.fields['reason']).toBe('maximum bytes exceeded (10077)');
    expect(await rig.count('CALL_TRANSCRIBED')).toBe(1);
    await rig.operator.jsm.streams.update('CALL_TRANSCRIBED', { max_bytes: 4 * room });
    await publishing;
    expect(await rig.count('CALL_TRANSCRIBED')).toBe(2);
  });

  it('ends when the signal aborts, with its reason', async () => {
    const broker = await rig.connect();
    await rig.operator.jsm.streams.delete('CALL_ENDED');
    const abort = new AbortController();
    const publishing = broker.publish(callEnded(), { signal: abort.signal });
    await until('it was refused', () => warnings().length > 0);
    abort.abort(new Error('enough'));
    await expect(publishing).rejects.toThrow('enough');
  });

  it('beyond the duplicate window a first revision is not stored twice, and that is success', async () => {
    await rig.operator.jsm.streams.update('CALL_ENDED', { duplicate_window: 100_000_000 });
    const broker = await rig.connect();
    const event = callEnded();
    await broker.publish(event);
    await until('the window is over', async () => {
      const probe = await rig.operator.js.publish('call.ended.x.y', '', { msgID: 'probe' });
      return !probe.duplicate && probe.seq > 2;
    });
    await broker.publish(event);
    expect(await rig.count('CALL_ENDED', `call.ended.*.${event.callSid}`)).toBe(1);
  });

  it('a deliberate repeat under its own id, a later revision and a command are always stored', async () => {
    const broker = await rig.connect();
    const event = callEnded();
    await broker.publish(event);
    await broker.publish(event, { messageId: `${event.id}:replay1` });
    await broker.publish(callEnded(event.callSid, 2));
    expect(await rig.count('CALL_ENDED')).toBe(3);
    const command = callErase(event.callSid);
    await broker.publish(command);
    await broker.publish(command, { messageId: `${command.id}:replay1` });
    expect(await rig.count('CALL_COMMANDS')).toBe(2);
  });

  it('says that the bytes are sent once, before the acknowledgement is read', async () => {
    const broker = await rig.connect();
    const event = callEnded();
    const order: string[] = [];
    const stored: Promise<number>[] = [];
    const onSent = (): void => {
      order.push('sent');
      stored.push(rig.count('CALL_ENDED'));
    };
    await broker.publish(event, { onSent });
    order.push('acknowledged');
    expect(order).toEqual(['sent', 'acknowledged']);
    expect(await Promise.all(stored)).toEqual([1]);
  });

  it('B49 B50 ids with a dot, a wildcard or a line break are refused before anything is sent', async () => {
    const broker = await rig.connect();
    for (const businessId of ['a.b', '*', '>', 'a b', '', 'x'.repeat(65)]) {
      await expect(broker.publish({ ...callEnded(), businessId })).rejects.toThrow(TypeError);
    }
    await expect(broker.publish(callEnded(), { messageId: 'a\r\nNats-Rollup: all' })).rejects.toThrow(TypeError);
    await broker.publish(callEnded(), { traceparent: 'x\r\nNats-Rollup: all' });
    expect(await rig.count('CALL_ENDED')).toBe(1);
  });

  it('an event above the largest size is a permanent failure', async () => {
    const broker = await rig.connect();
    const event = callTranscribed(callEnded(), 'x'.repeat(13_000_000));
    await expect(broker.publish(event)).rejects.toThrow(PermanentError);
  });

  it('after close it rejects at once', async () => {
    const broker = await rig.connect();
    await broker.close();
    await expect(broker.publish(callEnded())).rejects.toThrow(BrokerError);
  });
});
