import { setTimeout as wait } from 'node:timers/promises';
import type { CallOutcome } from '@pipeline/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ServiceProcess } from '../stack/service-process.ts';
import { eventually, startStack, type Stack } from '../stack/stack.ts';
import { createStreams } from '../stack/streams.ts';
import { arrivedOutcome, expectOneOfEach } from './outcome.ts';

/** Longer than 20.7 s, after which the NATS client gives up where nobody told it otherwise. `OUTAGE_SECONDS=600` is the whole fault. */
// oxlint-disable-next-line node/no-process-env -- the length of a test is no configuration of a service
const OUTAGE_MS = Number(process.env['OUTAGE_SECONDS'] ?? 24) * 1_000;
const DIALOGUE = 'en-plumbing';
/** Before the outage, and in it. */
const CALLS = 3;

let stack: Stack;
let gateway: ServiceProcess;
beforeAll(async () => {
  stack = await startStack();
  gateway = stack.fleet.of('media-gateway')[0]!;
});
afterAll(() => stack.stop());

const status = async (path: string): Promise<number> => (await fetch(`${gateway.healthUrl}${path}`)).status;
const unpublished = async (): Promise<number> => {
  const metrics = await (await fetch(`${gateway.healthUrl}/metrics`)).text();
  return Number(/^gateway_unpublished_events(?:\{[^}]*\})? (\d+)$/m.exec(metrics)?.[1] ?? Number.NaN);
};

test(
  `F24 I1 I14 the broker away for ${OUTAGE_MS / 1_000} s: no callback is told 2xx, every event waits in memory, and every call arrives once with its live transcript`,
  { timeout: 180_000 + OUTAGE_MS },
  async () => {
    const talking = await Promise.all(Array.from({ length: CALLS }, () => stack.placeCall(DIALOGUE, { speed: 4 })));
    const sessions = (): number => stack.provider.requests.filter(({ route }) => route === 'realtime').length;
    await eventually('all of them speak with the agent', () => sessions() >= CALLS);
    await stack.nats.kill();
    const goneAt = performance.now();
    // A call that is answered without the broker is carried too: its media stream reaches the process of its webhook.
    const late = await stack.placeCall(DIALOGUE);
    const outcomes: CallOutcome[] = await Promise.all([...talking, late].map((call) => call.ended));
    // Told 503 after 10 s; the next try is one that Twilio's 15 s cut off, which the telephone counts as 0.
    for (const { callbackStatuses } of outcomes) {
      expect(callbackStatuses[0], 'the first answer').toBe(503);
      expect(callbackStatuses.filter((code) => code !== 503 && code !== 0)).toEqual([]);
    }
    expect(outcomes.flatMap(({ problems }) => problems)).toEqual([]);
    await eventually('it is unready', async () => (await status('/health/ready')) === 503);
    await wait(Math.max(0, OUTAGE_MS - (performance.now() - goneAt)));
    expect([await status('/health/live'), await unpublished()]).toEqual([200, outcomes.length]);

    await stack.nats.restart();
    const backAt = performance.now();
    const streams = await createStreams(stack.surroundings); // the stack's own connection has given up by now
    const words = stack.dialogues.find(({ id }) => id === DIALOGUE)!.turns.map(({ text }) => text);
    const callSids = [...talking, late].map(({ callSid }) => callSid);
    for (const callSid of callSids) {
      const { callLog } = await arrivedOutcome(stack, callSid);
      expect((callLog['transcription_turns'] as { text: string }[]).map(({ text }) => text)).toEqual(words);
      expect(await streams.count('call.ended', callSid)).toBe(1);
    }
    // No message went to a pull that nobody waited for any more: it would come again only after ACK_WAIT_MS.
    expect(performance.now() - backAt).toBeLessThan(45_000);
    await streams.close();
    await expectOneOfEach(stack, callSids);
    await eventually('it is ready again', async () => (await status('/health/ready')) === 200);
    expect(await unpublished()).toBe(0);
  },
);
