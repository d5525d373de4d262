import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { AckPolicy } from 'nats';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { callErase } from './fixtures/events.ts';
import { openRig, until, type Rig } from './fixtures/rig.ts';
import { trimBroker, type TrimOptions } from './trim.ts';

const MIB = 1_048_576;
const BODY = Buffer.alloc(64 * 1_024, 'x');
let server: RunningNats;
let rig: Rig;

beforeAll(async () => {
  server = await startNats();
});
afterAll(() => server.stop());
beforeEach(async () => {
  rig = await openRig(server.url, { STREAM_MAX_BYTES: MIB });
  await rig.provision();
});
afterEach(() => rig.close());

/** Nothing is young, unless a test says otherwise. */
function trim(options: Partial<TrimOptions> = {}) {
  const who = { config: rig.config, identity: 'provision', instance: 'test/1', logger: rig.log } as const;
  return trimBroker({ ...who, keepMs: 0, now: () => Date.now() + 1_000, ...options });
}

async function outcomeOf(stream: string, options: Partial<TrimOptions> = {}) {
  const found = (await trim(options)).find((one) => one.stream === stream);
  return { outcome: found?.outcome, removed: found?.removed };
}

async function fill(messages: number): Promise<void> {
  for (let at = 0; at < messages; at += 1) await rig.operator.js.publish(`call.ended.biz.CA${at}`, BODY);
}

/** Takes so many messages and acknowledges them all but those left out. */
async function settle(messages: number, leaveOut: readonly number[] = []): Promise<void> {
  const consumer = await rig.operator.js.consumers.get('CALL_ENDED', 'transcriber');
  for (let at = 1; at <= messages; at += 1) {
    const message = await consumer.next({ expires: 5_000 });
    if (message === null) throw new Error('nothing came');
    if (!leaveOut.includes(at)) await message.ackAck();
  }
}

const seqs = async (): Promise<[number, number]> => {
  const { state } = await rig.operator.jsm.streams.info('CALL_ENDED');
  return [state.first_seq, state.messages];
};

describe('provision --trim', () => {
  it('a stream with room is left alone, however old and settled its messages are', async () => {
    await fill(8);
    await settle(8);
    expect(await outcomeOf('CALL_ENDED')).toEqual({ outcome: 'room', removed: 0 });
    expect((await trim()).map(({ stream }) => stream)).toEqual([
      'CALL_ENDED',
      'CALL_TRANSCRIBED',
      'CALL_SUMMARIZED',
      'CALL_EXTRACTED',
      'CALL_COMMANDS',
      'CALL_DEAD',
      'OBJ_CALL_EVENTS',
    ]);
  });

  it('above 60 % everything below the ack floor goes, and nothing above it', async () => {
    await fill(12);
    await settle(10, [8]);
    expect(await outcomeOf('CALL_ENDED', { dryRun: true })).toEqual({ outcome: 'would_trim', removed: 7 });
    expect(await seqs()).toEqual([1, 12]);
    expect(await outcomeOf('CALL_ENDED')).toEqual({ outcome: 'trimmed', removed: 7 });
    expect(await seqs()).toEqual([8, 5]);
    expect(await outcomeOf('CALL_ENDED')).toEqual({ outcome: 'room', removed: 0 });
  });

  it('what is younger than the time that is kept stays, settled or not', async () => {
    await fill(6);
    const sixth = (await rig.operator.jsm.streams.getMessage('CALL_ENDED', { seq: 6 })).time.getTime();
    await until('a while is over', () => Date.now() > sixth + 20);
    await fill(6);
    await settle(12);
    expect(await outcomeOf('CALL_ENDED', { keepMs: 3_600_000 })).toEqual({ outcome: 'young', removed: 0 });
    const seventh = (await rig.operator.jsm.streams.getMessage('CALL_ENDED', { seq: 7 })).time.getTime();
    expect(await outcomeOf('CALL_ENDED', { now: () => seventh })).toEqual({ outcome: 'trimmed', removed: 6 });
    expect(await seqs()).toEqual([7, 6]);
  });

  it('B96 what is young stays, also where the clock of this machine is two days ahead', async () => {
    await fill(12);
    await settle(12);
    const who = { config: rig.config, identity: 'provision', instance: 'test/1', logger: rig.log } as const;
    const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 48 * 3_600_000);
    const trimmed = await trimBroker(who).finally(() => clock.mockRestore());
    expect(trimmed.find(({ stream }) => stream === 'CALL_ENDED')).toMatchObject({ outcome: 'young', removed: 0 });
  });

  it('dead letters and large parts are told when they fill up, and nothing of them goes', async () => {
    for (let at = 0; at < 11; at += 1) await rig.operator.js.publish(`call.dead.biz.CA${at}`, BODY);
    await rig.operator.js.publish('$O.CALL_EVENTS.C.some', BODY);
    const trimmed = await trim();
    expect(trimmed.slice(-2)).toMatchObject([
      { stream: 'CALL_DEAD', outcome: 'kept', messages: 11, removed: 0 },
      { stream: 'OBJ_CALL_EVENTS', outcome: 'room', messages: 1, removed: 0 },
    ]);
    const broker = await rig.connect();
    const { deadLetters, largeEvents } = await broker.keeping();
    expect([deadLetters.messages, largeEvents.messages]).toEqual([11, 1]);
    expect(deadLetters.fill).toBeGreaterThan(0.6);
    expect(largeEvents.fill).toBeLessThan(0.2);
  });

  it('what one consumer still needs stays, also when the stage has settled it', async () => {
    await rig.operator.jsm.consumers.add('CALL_ENDED', { durable_name: 'tap', ack_policy: AckPolicy.Explicit });
    await fill(12);
    await settle(12);
    expect(await outcomeOf('CALL_ENDED')).toEqual({ outcome: 'unsettled', removed: 0 });
    expect(await seqs()).toEqual([1, 12]);
  });

  it('a stream whose consumer is missing is left alone: the new one reads everything', async () => {
    await fill(12);
    await settle(12);
    await rig.operator.jsm.consumers.delete('CALL_ENDED', 'transcriber');
    expect(await outcomeOf('CALL_ENDED')).toEqual({ outcome: 'no_consumer', removed: 0 });
    expect(await seqs()).toEqual([1, 12]);
  });

  it('gaps that erased calls left do not matter, and two at once remove the same', async () => {
    await fill(14);
    await settle(14);
    for (const seq of [1, 2, 5, 9]) await rig.operator.jsm.streams.deleteMessage('CALL_ENDED', seq);
    await until('the stream is full enough', async () => (await seqs())[1] === 10);
    const removed = (await Promise.all([trim({ fillLimit: 0.5 }), trim({ fillLimit: 0.5 })])).map(
      (found) => found.find(({ stream }) => stream === 'CALL_ENDED')?.removed,
    );
    expect(removed.toSorted().at(-1)).toBe(10);
    expect((await seqs())[1]).toBe(0);
  });
});

describe('commands in CALL_COMMANDS', () => {
  const KEPT = new Set([3, 250, 499]);
  const state = async () => (await rig.operator.jsm.streams.info('CALL_COMMANDS')).state;

  /** Commands of which only these, by their place from 0, are a person's; the last 20 are not settled. */
  async function command(count: number): Promise<void> {
    for (let at = 0; at < count; at += 1) {
      const event = callErase();
      const data = { ...event.data, because: KEPT.has(at) ? 'request' : 'retention' };
      await rig.operator.js.publish(`call.erase.biz_1.${event.callSid}`, JSON.stringify({ ...event, data }));
    }
    const consumer = await rig.operator.js.consumers.get('CALL_COMMANDS', 'extractor-commands');
    for (let at = 0; at < count - 20; at += 1) await (await consumer.next({ expires: 5_000 }))?.ackAck();
  }

  it(
    'of a retention go once they are worked, however young; what a person asked for stays',
    { timeout: 60_000 },
    async () => {
      await command(900);
      expect((await state()).bytes).toBeGreaterThan(0.25 * MIB);
      const young = { keepMs: 86_400_000, now: Date.now };
      const gone = 880 - KEPT.size;
      expect(await outcomeOf('CALL_COMMANDS', { ...young, dryRun: true })).toEqual({
        outcome: 'would_trim',
        removed: gone,
      });
      expect((await state()).messages).toBe(900);
      const both = await Promise.all([outcomeOf('CALL_COMMANDS', young), outcomeOf('CALL_COMMANDS', young)]);
      expect(both.reduce((sum, { removed = 0 }) => sum + removed, 0)).toBe(gone);
      expect((await state()).messages).toBe(KEPT.size + 20);
      for (const at of KEPT)
        await expect(rig.operator.jsm.streams.getMessage('CALL_COMMANDS', { seq: at + 1 })).resolves.toBeDefined();
      expect(await outcomeOf('CALL_COMMANDS', young)).toEqual({ outcome: 'room', removed: 0 });
    },
  );
});
