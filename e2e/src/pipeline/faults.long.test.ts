import { afterEach, expect, test } from 'vitest';
import { eventually, startStack, type Stack } from '../stack/stack.ts';
import { arrivedOutcome, expectOneOfEach } from './outcome.ts';

/** Short waits after a death: a worker's message and a delivery's lease are free again soon. */
const QUICK_RECOVERY = {
  shared: { ACK_WAIT_MS: '3000' },
  overrides: { 'webhook-dispatcher': { WEBHOOK_TIMEOUT_MS: '2000', WEBHOOK_LEASE_MS: '4000' } },
};
/** media-gateway is not among them: a call that dies with its gateway comes back through Twilio's list, not through the streams. */
const MORTAL = ['transcriber', 'summarizer', 'extractor', 'webhook-dispatcher'] as const;

let stack: Stack | undefined;
afterEach(async () => {
  await stack?.stop();
  stack = undefined;
});

/** Places calls in batches and lets something happen while each batch is worked. */
async function placeUnder(running: Stack, batches: number, fault: (batch: number) => Promise<void>): Promise<string[]> {
  const spoken = running.dialogues.filter((dialogue) => dialogue.turns.length > 0);
  const callSids: string[] = [];
  for (let batch = 0; batch < batches; batch += 1) {
    const calls = await Promise.all(spoken.map((dialogue) => running.placeCall(dialogue.id)));
    await Promise.all([...calls.map((call) => call.ended), fault(batch)]);
    callSids.push(...calls.map((call) => call.callSid));
  }
  return callSids;
}

async function expectAllArrived(running: Stack, callSids: readonly string[]): Promise<void> {
  for (const callSid of callSids) await arrivedOutcome(running, callSid);
  await expectOneOfEach(running, callSids);
  expect(callSids.length).toBeGreaterThanOrEqual(30);
}

test('every stage killed by SIGKILL three times while calls end: none lost, none doubled', async () => {
  const running = await startStack({ ...QUICK_RECOVERY, replicas: 1 });
  stack = running;
  const callSids = await placeUnder(running, MORTAL.length * 3, async (batch) => {
    const service = MORTAL[batch % MORTAL.length] ?? 'transcriber';
    await running.fleet.of(service)[0]?.kill();
    await running.fleet.start(service);
  });
  await expectAllArrived(running, callSids);
});

test('the broker killed by SIGKILL six times while calls end: none lost, none doubled', async () => {
  const running = await startStack(QUICK_RECOVERY);
  stack = running;
  const callSids = await placeUnder(running, 6, async () => {
    await running.nats.kill();
    await running.nats.restart();
  });
  await eventually('the operator is connected again', () => running.streams.isIdle().catch(() => false), 60_000);
  await expectAllArrived(running, callSids);
});

test('the database killed by SIGKILL six times while calls end: none lost, none doubled', async () => {
  const running = await startStack(QUICK_RECOVERY);
  stack = running;
  const callSids = await placeUnder(running, 6, async () => {
    await running.mongo.kill();
    await running.mongo.restart();
  });
  await expectAllArrived(running, callSids);
});
