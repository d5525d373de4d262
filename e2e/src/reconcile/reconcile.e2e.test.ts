import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { arrivedOutcome, expectOneOfEach } from '../pipeline/outcome.ts';
import { eventually, startStack, type Stack } from '../stack/stack.ts';
import { gatewayOf, lastRun, reconcileOnce, untilEnded, untilRecorded } from './runs.ts';

/** Calls that are up when their media-gateway is killed. */
const UP = 20;
/** Audio of a call before that: the agent has greeted, and the caller has said something. */
const HEARD_MS = 6_000;

let stack: Stack;
const all: string[] = [];
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());

describe('a media-gateway killed by SIGKILL with calls up', () => {
  test('F5 F21 F49 F54 all of them come back with their recordings, through runs that die, repeat and overlap', async () => {
    const dialogue = stack.dialogues.find(({ id }) => id === 'he-renovation');
    if (dialogue === undefined) throw new Error('there is no such dialogue');
    // Of half of them no callback would ever come, from a telephone company that had one to send.
    const callbackOf = (index: number) => (index % 2 === 0 ? 'missing' : 'once');
    const placing = Array.from({ length: UP }, (_, index) =>
      stack.telephone.placeCall({ dialogue, speed: 1, faults: { statusCallback: callbackOf(index) } }),
    );
    const calls = await Promise.all(placing);
    const callSids = calls.map(({ callSid }) => callSid);
    await untilRecorded(stack, callSids, HEARD_MS);
    await gatewayOf(stack).kill();
    await untilEnded(stack, callSids);
    for (const callSid of callSids) expect(await stack.streams.holds('call.ended', callSid)).toBe(false);

    expect(await reconcileOnce(stack, { CRASH_AT: 'rc.mid:7' }), 'killed in the middle').toBeNull();
    stack.telephone.setCallListBehaviour({ refuse: { status: 429, times: 1, retryAfter: 1 }, repeats: 1 });
    const both = await Promise.all([reconcileOnce(stack), reconcileOnce(stack, { TWILIO_PAGE_SIZE: '3' })]);
    stack.telephone.setCallListBehaviour({});
    expect(both).toEqual([0, 0]);
    all.push(...callSids);
    for (const callSid of callSids) {
      const { callLog, body } = await arrivedOutcome(stack, callSid);
      expect(callLog).toMatchObject({ source: 'reconciled', endedReason: 'completed', transcription: null });
      expect(String(callLog['final_transcript'])).toContain('agent: ');
      expect(body).toMatchObject({ event_type: 'call.completed', transcript: callLog['final_transcript'] });
      expect(await stack.streams.count('call.ended', callSid), 'one event, however many runs').toBe(1);
    }
    await expectOneOfEach(stack, all);
    expect(await reconcileOnce(stack)).toBe(0);
    expect(lastRun(stack)).toMatchObject({ outcome: 'done', notices: { published: 0 } });
    expect((lastRun(stack)['calls'] as Record<string, number>)['missing'], 'nothing is left').toBeUndefined();
    await stack.fleet.start('media-gateway');
  });
});

describe('a media-gateway that is only late', () => {
  test('F87 its own event comes after the reconciler has published: one CallLog, one webhook', async () => {
    const gateway = gatewayOf(stack);
    const call = await stack.placeCall('he-plumbing', { speed: 1 });
    await untilRecorded(stack, [call.callSid], HEARD_MS);
    process.kill(gateway.pid, 'SIGSTOP');
    try {
      call.hangUp();
      await untilEnded(stack, [call.callSid]);
      expect(await reconcileOnce(stack)).toBe(0);
      all.push(call.callSid);
      expect((await arrivedOutcome(stack, call.callSid)).callLog).toMatchObject({ source: 'reconciled' });
    } finally {
      process.kill(gateway.pid, 'SIGCONT');
    }
    await call.ended;
    const isTold = () =>
      stack.lines.some(
        ({ fields, message }) => fields['callSid'] === call.callSid && /pipeline will handle/.test(message),
      );
    await eventually('media-gateway has handed the call over', isTold);
    await eventually('every stage has settled every event', () => stack.streams.isIdle());
    expect(await stack.streams.count('call.ended', call.callSid)).toBe(1);
    await expectOneOfEach(stack, all);
  });
});

describe('a call that nobody took and nobody heard of', () => {
  test('F49 is published, and its webhook leaves at once: there is no recording to wait for', async () => {
    const dialogue = stack.dialogues.find(({ id }) => id === 'en-plumbing');
    if (dialogue === undefined) throw new Error('there is no such dialogue');
    const { from: customer, to: business } = dialogue;
    const outbound = { ...dialogue, from: business, to: customer, direction: 'outbound' } as const;
    const faults = { statusCallback: 'missing' } as const;
    const call = await stack.telephone.placeCall({ dialogue: outbound, unanswered: 'busy', faults });
    await call.ended;
    all.push(call.callSid);
    expect(await reconcileOnce(stack)).toBe(0);
    const { callLog, body } = await arrivedOutcome(stack, call.callSid);
    expect(callLog).toMatchObject({ source: 'reconciled', endedReason: 'busy', status: 'partial' });
    expect(body).toMatchObject({ phone: customer, transcript: null });
    expect(body['stages']).toMatchObject({ transcriber: { state: 'skipped', code: 'RECORDING_ABSENT', attempts: 1 } });
  });
});

describe('a call that needs nothing', () => {
  test('is left alone: it has a CallLog, or ended a moment ago', async () => {
    const call = await stack.placeCall('en-plumbing');
    await call.ended;
    all.push(call.callSid);
    await arrivedOutcome(stack, call.callSid);
    const before = stack.receiver.received.length;
    expect(await reconcileOnce(stack)).toBe(0);
    expect(lastRun(stack)['calls']).toEqual({ known: all.length });
    expect(await reconcileOnce(stack, { SETTLE_MS: '3600000' })).toBe(0);
    expect(lastRun(stack)['calls']).toEqual({ young: all.length });
    expect(await stack.streams.count('call.ended', call.callSid)).toBe(1);
    expect(stack.receiver.received).toHaveLength(before);
  });

  test('of a number that nobody owns is counted and not published', async () => {
    const dialogue = stack.dialogues.find(({ id }) => id === 'hang-up');
    if (dialogue === undefined) throw new Error('there is no such dialogue');
    const call = await stack.telephone.placeCall({ dialogue, to: '+97239999999', speed: 20 });
    await call.ended;
    expect(await reconcileOnce(stack)).toBe(0);
    expect(lastRun(stack)['calls']).toMatchObject({ unowned: 1 });
    expect(await stack.records.callLog(call.callSid)).toBeNull();
  });
});

describe('when a part cannot be done', () => {
  test('F54 Twilio hands out its list too slowly for one run: the next run goes on where it ended, and CallLogs are looked at in both', async () => {
    const pages = stack.telephone.calls.length;
    stack.telephone.setCallListBehaviour({ refuse: { status: 429, times: 2, retryAfter: 3 } });
    expect(await reconcileOnce(stack, { RUN_TIMEOUT_MS: '8000', TWILIO_PAGE_SIZE: '1' })).toBe(0);
    expect(lastRun(stack)).toMatchObject({ outcome: 'continues', pages: 1, notices: { published: 0 } });
    stack.telephone.setCallListBehaviour({});
    expect(await reconcileOnce(stack)).toBe(0);
    expect(lastRun(stack)).toMatchObject({ outcome: 'done', pages: pages - 1, notices: { published: 0 } });
  });

  test('Twilio refuses our key: the run fails and leaves the watermark; CallLogs are looked at all the same', async () => {
    expect(await reconcileOnce(stack, { TWILIO_API_KEY_SECRET: 'revoked-long-ago' })).toBe(1);
    expect(lastRun(stack)).toMatchObject({ outcome: 'failed', watermark: null, notices: { published: 0 } });
  });
});

test('log lines of reconciler hold no phone number and no key', () => {
  const printed = JSON.stringify(stack.lines.filter(({ service }) => service === 'reconciler'));
  expect(printed).toContain('[RECONCILE] ✅ Lost call CA');
  for (const canary of ['972501234567', '97235550100', stack.surroundings.twilio.apiKeySecret])
    expect(printed, canary).not.toContain(canary);
});
