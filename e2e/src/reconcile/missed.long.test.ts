import { env } from 'node:process';
import { afterEach, expect, test } from 'vitest';
import { expectOneOfEach } from '../pipeline/outcome.ts';
import { SERVICES } from '../stack/environment.ts';
import { eventually, startStack, type Stack } from '../stack/stack.ts';
import { lastRun, reconcileOnce, untilEnded } from './runs.ts';

/** Raise it by MISSED_CALLS for a longer proof. */
const CALLS = Number(env['MISSED_CALLS'] ?? 500);
const ARRIVE_MS = 60_000 + CALLS * 300;

let stack: Stack | undefined;
afterEach(async () => {
  await stack?.stop();
  stack = undefined;
});

test(`F49 F50 ${CALLS} calls while no media-gateway is up: not one is lost`, async () => {
  process.stderr.write(`[missed] ${CALLS} calls (MISSED_CALLS)\n`);
  const running = await startStack({
    services: SERVICES.filter((service) => service !== 'media-gateway'),
  });
  stack = running;
  const placed = await Promise.all(Array.from({ length: CALLS }, () => running.placeCall('hang-up')));
  const callSids = placed.map(({ callSid }) => callSid);
  await untilEnded(running, callSids);

  expect(await reconcileOnce(running, { TWILIO_PAGE_SIZE: '50' })).toBe(0);
  expect(lastRun(running)).toMatchObject({ calls: { missing: CALLS }, pages: Math.ceil(CALLS / 50) });
  const isDone = async (): Promise<boolean> => (await running.records.callLogs()).length === CALLS;
  await eventually('every call has its CallLog', isDone, ARRIVE_MS);
  await eventually('every webhook has left', () => running.receiver.received.length >= CALLS, ARRIVE_MS);
  await expectOneOfEach(running, callSids);
  for (const log of await running.records.callLogs())
    expect(log).toMatchObject({
      source: 'reconciled',
      endedReason: 'failed',
      status: 'partial',
      final_transcript: null,
    });
});
