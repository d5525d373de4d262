import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { DeliverPolicy, nanos } from 'nats';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectOperator } from './broker.ts';
import { BrokerError } from './broker-error.ts';
import { callEnded } from './fixtures/events.ts';
import { configOf, keepingLog, openRig, type Rig } from './fixtures/rig.ts';
import { compareBroker, provisionBroker } from './provision.ts';

let server: RunningNats;
let rig: Rig;
beforeAll(async () => void (server = await startNats()));
afterAll(() => server.stop());
beforeEach(async () => void (rig = await openRig(server.url)));
afterEach(() => rig.close());

const provision = (change = {}, narrow = false) =>
  provisionBroker({ ...who(), config: { ...rig.config, ...change }, narrow });
const compare = () => compareBroker(who());
const who = () => ({ config: rig.config, identity: 'provision', instance: 'test/1', logger: rig.log }) as const;

describe('provision', () => {
  it('makes everything once, and a second run changes nothing', async () => {
    const first = await provision();
    expect(first.ok).toBe(true);
    expect(first.lines.filter((line) => line.endsWith(': created'))).toHaveLength(18);
    const second = await provision();
    expect(second.lines.slice(1).every((line) => line.endsWith(': as expected'))).toBe(true);
    expect(await compare()).toEqual([]);
  });

  it('run three times at once ends in the same place', async () => {
    const runs = await Promise.all([provision(), provision(), provision()]);
    expect(runs.map(({ ok }) => ok)).toEqual([true, true, true]);
    expect(await compare()).toEqual([]);
    expect(await rig.operator.jsm.consumers.list('CALL_ENDED').next()).toHaveLength(1);
  });

  it('puts a drifted consumer and stream back, and keeps messages and progress', async () => {
    await provision();
    const broker = await rig.connect();
    await broker.publish(callEnded());
    await rig.operator.jsm.consumers.update('CALL_ENDED', 'transcriber', { ack_wait: nanos(7_000) });
    await rig.operator.jsm.streams.update('CALL_ENDED', { max_bytes: 2_097_152 });
    expect((await compare()).map(({ text }) => text)).toEqual([
      'CALL_ENDED max_bytes is 2097152, expected 67108864',
      'CALL_ENDED/transcriber ack_wait is 7 s, expected 1.5 s',
    ]);
    const { ok, lines } = await provision();
    expect(ok).toBe(true);
    expect(lines).toContain('changed: CALL_ENDED/transcriber ack_wait is 7 s, expected 1.5 s');
    expect(await rig.count('CALL_ENDED')).toBe(1);
  });

  it('grows limits, and narrows them only when asked for, saying so', async () => {
    await provision({ STREAM_MAX_AGE_HOURS: 168 });
    const kept = await provision();
    expect(kept.ok).toBe(true);
    expect(kept.lines.filter((line) => line.startsWith('left wider: CALL_ENDED max_age is 604800 s'))).toHaveLength(1);
    expect((await rig.operator.jsm.streams.info('CALL_ENDED')).config.max_age).toBe(nanos(168 * 3_600_000));
    await provision({}, true);
    expect((await rig.operator.jsm.streams.info('CALL_ENDED')).config.max_age).toBe(nanos(72 * 3_600_000));
  });

  it('puts max_ack_pending back to what is configured, up and down, without being asked: nothing is deleted by it', async () => {
    const maxAckPending = async () =>
      (await rig.operator.jsm.consumers.info('CALL_ENDED', 'transcriber')).config.max_ack_pending;
    await provision({ MAX_ACK_PENDING: 5_000 });
    expect(await maxAckPending()).toBe(5_000);
    const { ok, lines } = await provision();
    expect({ ok, now: await maxAckPending() }).toEqual({ ok: true, now: 1_000 });
    expect(lines).toContain('changed: CALL_ENDED/transcriber max_ack_pending is 5000, expected 1000');
  });

  it('says what cannot be changed, and neither deletes nor recreates it', async () => {
    await rig.provision();
    await rig.operator.jsm.consumers.delete('CALL_ENDED', 'transcriber');
    const narrow = { durable_name: 'transcriber', filter_subject: 'call.ended.*.*', deliver_policy: DeliverPolicy.New };
    const before = await rig.operator.jsm.consumers.add('CALL_ENDED', { ...narrow, max_waiting: 7 });
    const { ok, lines } = await provision();
    expect(ok).toBe(false);
    expect(lines.filter((line) => line.startsWith('cannot change: CALL_ENDED/transcriber')).toSorted()).toEqual([
      expect.stringContaining('ack_policy is "none", expected "explicit"'),
      expect.stringContaining('deliver_policy is "new", expected "all"'),
      expect.stringContaining('max_waiting is 7, expected 4096'),
    ]);
    expect((await rig.operator.jsm.consumers.info('CALL_ENDED', 'transcriber')).created).toBe(before.created);
  });

  it('says in one sentence what the server refuses', async () => {
    const { ok, lines } = await provision({ STREAM_REPLICAS: 3 });
    expect(ok).toBe(false);
    expect(lines[1]).toMatch(/^cannot create CALL_ENDED: replicas > 1 not supported in non-clustered mode \(\d+\)$/);
  });

  it('says that a server with a small max_payload cannot be used', async () => {
    const small = await startNats({ maxPayload: 65_536 });
    try {
      const { ok, lines } = await provisionBroker({ ...who(), config: configOf(small.url) });
      expect(ok).toBe(false);
      expect(lines[1]).toBe('max_payload of the server is 65536, at least 1048576 is needed');
    } finally {
      await small.stop();
    }
  });

  it('without a server it fails within seconds, with a sentence', async () => {
    const config = configOf('nats://127.0.0.1:9');
    await expect(provisionBroker({ ...who(), config, logger: keepingLog() })).rejects.toThrow(BrokerError);
    await expect(connectOperator({ ...who(), config })).rejects.toThrow(
      /^no NATS at nats:\/\/127\.0\.0\.1:9: nobody listens there.* \(CONNECTION_REFUSED\)$/,
    );
  });
});
