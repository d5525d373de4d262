import { WEBHOOK_KEYS } from '@pipeline/contracts/webhook';
import { afterEach, describe, expect, test } from 'vitest';
import type { ServiceName } from '../stack/environment.ts';
import { eventually, startStack, type Stack } from '../stack/stack.ts';
import type { StackOptions } from '../stack/options.ts';
import { arrivedOutcome, expectOneOfEach, outcomeOf, transcriptProblems } from './outcome.ts';

let stack: Stack | undefined;
afterEach(async () => {
  await stack?.stop();
  stack = undefined;
});

async function start(options: StackOptions = {}): Promise<Stack> {
  stack = await startStack(options);
  return stack;
}

/** A delivery that died with its process is free again after its lease. Other services do not know these variables. */
const SHORT_LEASE = { WEBHOOK_TIMEOUT_MS: '2000', WEBHOOK_LEASE_MS: '4000' };

/** Places calls of the spoken dialogues in turn, all at once, and waits until they have ended. */
async function placeCalls(running: Stack, count: number): Promise<string[]> {
  const spoken = running.dialogues.filter((dialogue) => dialogue.turns.length > 0);
  const dialogueAt = (n: number): string => spoken[n % spoken.length]?.id ?? '';
  const calls = await Promise.all(Array.from({ length: count }, (_, n) => running.placeCall(dialogueAt(n))));
  await Promise.all(calls.map((call) => call.ended));
  return calls.map((call) => call.callSid);
}

/** Whoever has the trace of one line has all of the call, up to the request that its receiver saw. */
async function expectOneTrace(running: Stack, callSid: string): Promise<void> {
  const [request] = running.receiver.received.filter((one) => one.rawBody.includes(callSid));
  const trace = request?.headers['traceparent']?.split('-')[1];
  expect(trace).toMatch(/^[0-9a-f]{32}$/);
  const stages = ['transcriber', 'summarizer', 'extractor', 'webhook-dispatcher'];
  const traced = () =>
    running.lines.filter(({ fields }) => fields['callSid'] === callSid && fields['traceId'] !== undefined);
  await eventually('every stage has told of the call', () =>
    stages.every((stage) => traced().some(({ service }) => service === stage)),
  );
  expect(new Set(traced().map(({ fields }) => fields['traceId']))).toEqual(new Set([trace]));
  const [row] = await running.records.deliveries(callSid);
  const attempts = await eventually('the attempt is recorded', async () => {
    const found = await running.records.attempts(String(row?.['_id']));
    return found.length > 0 && found;
  });
  expect(attempts.map((attempt) => attempt['traceId'])).toEqual([trace]);
}

describe('from hang-up to the signed webhook', () => {
  test('one call: every word that was said is in the CallLog, and the webhook is built from it', async () => {
    const running = await start();
    const call = await running.placeCall('he-renovation');
    const { callLog, body, callSid } = await outcomeOf(running, call);
    const dialogue = running.dialogues.find((one) => one.id === 'he-renovation')!;
    expect(transcriptProblems(callLog, dialogue)).toEqual([]);
    expect(callLog).toMatchObject({
      status: 'complete',
      extracted_city: 'תל אביב',
      extracted_service: 'שיפוצים',
      revision: 1,
    });
    expect(Object.keys(body).slice(0, 11)).toEqual([...WEBHOOK_KEYS]);
    expect(body).toMatchObject({
      event_type: 'call.completed',
      call_id: callSid,
      business_id: dialogue.businessId,
      phone: dialogue.from,
      city: 'תל אביב',
      service_category: 'שיפוצים',
      summary: dialogue.answers.summary,
      transcript: callLog['final_transcript'],
      direction: 'inbound',
      status: 'complete',
    });
    expect(callLog['transcription']).toContain('שיפוצים');
    await expectOneOfEach(running, [callSid]);
    await expectOneTrace(running, callSid);
  });

  test('20 calls at once: each has its own words, its own CallLog and its own webhook', async () => {
    const running = await start();
    const callSids = await placeCalls(running, 20);
    for (const callSid of callSids) {
      const { callLog } = await arrivedOutcome(running, callSid);
      const dialogue = running.dialogues.find((one) => one.answers.summary === callLog['summary'])!;
      expect(transcriptProblems(callLog, dialogue), callSid).toEqual([]);
      expect(callLog).toMatchObject({
        extracted_city: dialogue.expect.city,
        extracted_service: dialogue.expect.service,
      });
    }
    await expectOneOfEach(running, callSids);
  });

  test('each event published twice, under the same and under another message id, changes nothing and is paid once', async () => {
    const running = await start();
    const callSids = await placeCalls(running, 3);
    for (const callSid of callSids) await arrivedOutcome(running, callSid);
    const paid = running.provider.requests.filter((one) => one.route !== 'realtime').length;
    const before = await running.records.callLogs();
    await running.streams.publishAllAgain();
    await eventually('every stage has settled every event', () => running.streams.isIdle());
    await expectOneOfEach(running, callSids);
    expect(await running.records.callLogs()).toEqual(before);
    expect(running.provider.requests.filter((one) => one.route !== 'realtime')).toHaveLength(paid);
  });

  test('two replicas of every service share the work and double nothing', async () => {
    const running = await start({ replicas: 2 });
    const callSids = await placeCalls(running, 12);
    for (const callSid of callSids) await arrivedOutcome(running, callSid);
    await expectOneOfEach(running, callSids);
    const gateways = new Set(
      running.lines.filter((line) => /will handle everything/.test(line.message)).map((line) => line.instance),
    );
    expect(gateways.size).toBe(2);
  });

  test.each<[ServiceName, string]>([
    ['media-gateway', 'gw.unacked'],
    ['transcriber', 'tr.before_ack'],
    ['summarizer', 'sm.before_ack'],
    ['extractor', 'ex.before_ack'],
    ['webhook-dispatcher', 'wd.after_row'],
  ])('%s killed between its publish and its ack loses no call and doubles none', async (service, point) => {
    const running = await start({
      overrides: { [service]: { CRASH_AT: `${point}:1`, ...SHORT_LEASE } },
      shared: { ACK_WAIT_MS: '2000' },
    });
    const doomed = running.fleet.of(service)[0]!;
    const call = await running.placeCall('he-renovation');
    expect(await doomed.ended).toBeNull();
    await running.fleet.start(service, 1, { CRASH_AT: '' });
    const { callSid } = call;
    await call.ended;
    await arrivedOutcome(running, callSid);
    await expectOneOfEach(running, [callSid]);
  });

  test.each<ServiceName>(['transcriber', 'summarizer', 'extractor', 'webhook-dispatcher'])(
    '%s down while 10 calls end, then started: all of them reach their end',
    async (service) => {
      const running = await start();
      await running.fleet.stop(service);
      const callSids = await placeCalls(running, 10);
      await running.fleet.start(service);
      for (const callSid of callSids) await arrivedOutcome(running, callSid);
      await expectOneOfEach(running, callSids);
    },
  );

  test('the receiver down, then up: delivered after it returns, same id and same bytes', async () => {
    const running = await start();
    running.receiver.respond(503);
    const refused = await running.placeCall('he-renovation');
    await running.receiver.waitFor((one) => one.verified, 60_000);
    await running.receiver.stop();
    const unheard = await running.placeCall('en-plumbing');
    await Promise.all([refused.ended, unheard.ended]);
    await eventually('an attempt failed while the receiver was down', async () => {
      const [row] = await running.records.deliveries(unheard.callSid);
      return row !== undefined && row['attempts'] > 0 && row['state'] === 'pending';
    });
    running.receiver.respond(204);
    await running.receiver.start();
    for (const { callSid } of [refused, unheard]) await arrivedOutcome(running, callSid);
    await expectOneOfEach(running, [refused.callSid, unheard.callSid]);
    expect(running.receiver.received.length).toBeGreaterThan(2);
  });
});
