import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { arrivedOutcome, expectOneOfEach } from '../pipeline/outcome.ts';
import { callOf } from '../stack/arrived.ts';
import { operate } from '../stack/operator.ts';
import { eventually, startStack, type Stack } from '../stack/stack.ts';
import { lastRun, reconcileOnce, untilEnded, untilRecorded } from './runs.ts';

/** Calls in each place when the store goes. */
const EACH = 3;
/** From first to last: the stage that is stopped, and the event that waits before it. */
const STOPS = [
  ['webhook-dispatcher', 'call.extracted'],
  ['extractor', 'call.summarized'],
  ['summarizer', 'call.transcribed'],
  ['transcriber', 'call.ended'],
] as const;

let stack: Stack | undefined;
afterEach(async () => {
  await stack?.stop();
  stack = undefined;
});

test('F23 F88 I15 the whole store of NATS deleted while calls are in every stage: each reaches its end once, and an erased one stays erased', async () => {
  const running = await startStack();
  stack = running;
  const place = async (): Promise<string[]> => {
    const calls = await Promise.all(Array.from({ length: EACH }, () => running.placeCall('he-renovation')));
    await Promise.all(calls.map((call) => call.ended));
    return calls.map(({ callSid }) => callSid);
  };
  const delivered = await place();
  for (const callSid of delivered) await arrivedOutcome(running, callSid);
  const [erased = ''] = delivered;
  await operate(['erase', erased, '--business', 'biz_safe_home'], 'callctl', running.surroundings);
  const tombstone = await eventually('the tombstone is written', async () => {
    const document = await running.records.callLog(erased);
    return document?.['erased'] === true && document;
  });
  const webhooksOfErased = webhooksOf(running, erased);

  const waiting: Record<string, string[]> = {};
  for (const [service, event] of STOPS) {
    await running.fleet.stop(service);
    waiting[event] = await place();
    const isThere = async (): Promise<boolean> => {
      const held = await Promise.all((waiting[event] ?? []).map((callSid) => running.streams.holds(event, callSid)));
      return held.every(Boolean);
    };
    await eventually(`calls wait before ${service}`, isThere, 60_000);
  }
  const talking = await Promise.all(Array.from({ length: EACH }, () => running.placeCall('he-plumbing', { speed: 1 })));
  const live = talking.map(({ callSid }) => callSid);
  await untilRecorded(running, live, 3_000);

  await deleteStore(running);
  for (const call of talking.slice(0, 1)) call.hangUp();
  expect(await reconcileOnce(running), 'a store that is missing is not an empty one').toBe(1);
  await operate(['provision'], 'provision', running.surroundings);
  for (const [service] of STOPS) await running.fleet.start(service);
  await Promise.all(talking.map((call) => call.ended));
  await untilEnded(running, live);

  expect(await reconcileOnce(running, { CRASH_AT: 'rc.mid:4' }), 'killed in the middle').toBeNull();
  expect(await reconcileOnce(running)).toBe(0);
  const everyCall = [...delivered, ...Object.values(waiting).flat(), ...live];
  for (const callSid of everyCall) await arrivedOutcome(running, callSid);
  await expectOneOfEach(running, everyCall);

  for (const callSid of waiting['call.extracted'] ?? [])
    expect(await running.records.callLog(callSid), 'F88 only the notice was lost').toMatchObject({ source: 'gateway' });
  for (const event of ['call.summarized', 'call.transcribed', 'call.ended']) {
    for (const callSid of waiting[event] ?? [])
      expect(await running.records.callLog(callSid), event).toMatchObject({
        source: 'reconciled',
        transcription: null,
      });
  }
  for (const callSid of live) expect(await running.records.callLog(callSid)).toMatchObject({ source: 'gateway' });

  expect(await running.records.callLog(erased), 'an erased call').toEqual(tombstone);
  expect(webhooksOf(running, erased)).toBe(webhooksOfErased);
  expect(await running.streams.count('call.ended', erased)).toBe(0);
  await eventually('every stage has settled every event', () => running.streams.isIdle());
  expect(await reconcileOnce(running)).toBe(0);
  expect(lastRun(running)).toMatchObject({ calls: { known: everyCall.length }, notices: { published: 0 } });
});

/** The broker without anything, as after a lost volume. */
async function deleteStore(running: Stack): Promise<void> {
  const { nats } = running;
  if (nats.dataDir === null) throw new Error('NATS is given by its address: its store cannot be deleted');
  await nats.kill();
  await rm(join(nats.dataDir, 'jetstream'), { recursive: true });
  await nats.restart();
}

function webhooksOf(running: Stack, callSid: string): number {
  return running.receiver.received.filter((one) => callOf(one) === callSid).length;
}
