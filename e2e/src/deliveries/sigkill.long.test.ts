import { createHash } from 'node:crypto';
import { env } from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import type { ReceivedWebhook } from '@pipeline/sandbox';
import { afterEach, expect, test } from 'vitest';
import { eventually, startStack, type Stack } from '../stack/stack.ts';
import { createExtractedCalls, type ExtractedCalls } from './notices.ts';
import { createMortals, DEATHS } from './mortals.ts';

/** As many as fit into a minute and a half; `SIGKILL_ROUNDS=200` is the proof. */
const ROUNDS = Number(env['SIGKILL_ROUNDS'] ?? 40);
/** Processes that live, and die, at the same time. */
const AT_ONCE = 4;
/** Calls that are under way while processes die. */
const UNDER_WAY = 40;
const BUSINESSES = ['biz_homecare', 'biz_listener', 'biz_safe_home'];
const VARIABLES = {
  WEBHOOK_TIMEOUT_MS: '1500',
  WEBHOOK_LEASE_MS: '3000',
  WEBHOOK_POLL_MS: '100',
  WEBHOOK_ENDPOINT_SLOTS: '256',
  WEBHOOK_ENDPOINT_RATE: '10000',
  SLOTS: '4',
};

let stack: Stack | undefined;
let calls: ExtractedCalls | undefined;
afterEach(async () => {
  await calls?.close();
  await stack?.stop();
});

test(`F18 F19 F20 F85: ${ROUNDS} webhook-dispatchers killed between claim and mark lose nothing, and double only what had left`, async () => {
  const running = await startStack({ services: [], shared: { ACK_WAIT_MS: '2000' } });
  stack = running;
  const extracted = await createExtractedCalls(running);
  calls = extracted;
  const mortals = createMortals(running, VARIABLES);
  // The answer takes a moment, so that there is something to be killed in.
  running.receiver.respond(() => ({ status: 204, delayMs: Math.random() * 40 }));

  const callSids: string[] = [];
  const isOver = new AbortController();
  const load = keepLoad(running, extracted, callSids, isOver.signal);
  let round = 0;
  const dyingOne = async (): Promise<void> => {
    while (round < ROUNDS) await mortals.dieOnce(DEATHS[round++ % DEATHS.length] ?? 'anywhere');
  };
  await Promise.all(Array.from({ length: AT_ONCE }, dyingOne));
  isOver.abort();
  await load;

  await running.fleet.start('webhook-dispatcher', 1, VARIABLES);
  const swept = await sweep(running, extracted, callSids);
  const arrived = (): Map<string, ReceivedWebhook[]> => byWebhook(running.receiver.received);
  await eventually('every webhook has arrived', () => arrived().size === callSids.length, 120_000);
  await eventually('every delivery is marked', async () => (await running.records.openDeliveries()) === 0, 120_000);
  const doubled = await expectOnlyWhatHadLeftTwice(running, arrived(), mortals.sends);
  expect([...arrived().keys()].toSorted()).toEqual(callSids.map((callSid) => `msg_${callSid}_completed`).toSorted());
  expect(Object.values(mortals.died).reduce((all, count) => all + count)).toBe(ROUNDS);
  const deaths = Object.entries(mortals.died).map(([death, count]) => `${death} ${count}`);
  process.stderr.write(
    `SIGKILL: ${ROUNDS} rounds (${deaths.join(', ')}), ${callSids.length} webhooks arrived, ${doubled} more than once, ${swept} by the sweep\n`,
  );
});

/**
 * A notice that was in the hands of three processes that died is taken for their murderer: its copy is in `CALL_DEAD`, and the
 * reconciler's sweep finds its CallLog without a row and publishes it again. So does this, without the wait of two minutes.
 */
async function sweep(running: Stack, extracted: ExtractedCalls, callSids: readonly string[]): Promise<number> {
  await eventually('every notice is worked', () => running.streams.isIdle(), 120_000);
  const frozen = await running.records.deliveredCalls();
  const missing = callSids.filter((callSid) => !frozen.has(callSid));
  for (const callSid of missing) {
    expect(await running.streams.holds('call.dead', callSid), callSid).toBe(true);
    await extracted.publishAgain(callSid);
  }
  return missing.length;
}

/** Adds calls so that some are always under way. */
async function keepLoad(
  running: Stack,
  extracted: ExtractedCalls,
  callSids: string[],
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    if (callSids.length - byWebhook(running.receiver.received).size >= UNDER_WAY) await wait(10);
    else callSids.push((await extracted.add(BUSINESSES[callSids.length % BUSINESSES.length] ?? '')).callSid);
  }
}

/**
 * Same id, same bytes. A request that was not the last of its webhook had left a process that could not mark it: its `traceparent` stands in no
 * attempt, and every request of a webhook is another process's.
 */
async function expectOnlyWhatHadLeftTwice(
  running: Stack,
  arrived: ReadonlyMap<string, readonly ReceivedWebhook[]>,
  sends: ReadonlySet<string>,
): Promise<number> {
  const marked = await running.records.attemptTraces();
  let doubled = 0;
  for (const [webhookId, requests] of arrived) {
    expect(
      requests.every((one) => one.verified),
      webhookId,
    ).toBe(true);
    const bodies = new Set(requests.map((one) => createHash('sha256').update(one.rawBody).digest('hex')));
    expect(bodies.size, webhookId).toBe(1);
    if (requests.length === 1) continue;
    doubled += 1;
    const traces = requests.map((one) => one.headers['traceparent'] ?? '');
    expect(new Set(traces).size, webhookId).toBe(requests.length);
    expect(traces.filter((trace) => marked.has(trace)).length, webhookId).toBeLessThanOrEqual(1);
    const senders = [...sends].filter((send) => send.endsWith(` ${webhookId}`)).length;
    expect(senders, webhookId).toBeGreaterThanOrEqual(requests.length - 1);
  }
  return doubled;
}

function byWebhook(received: readonly ReceivedWebhook[]): Map<string, ReceivedWebhook[]> {
  const all = new Map<string, ReceivedWebhook[]>();
  for (const one of received) {
    const id = one.webhookId ?? 'none';
    all.set(id, [...(all.get(id) ?? []), one]);
  }
  return all;
}
