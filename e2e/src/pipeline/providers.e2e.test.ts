import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { loadDialogues } from '@pipeline/sandbox';
import { eventually, startStack, type Stack } from '../stack/stack.ts';
import { arrivedOutcome, expectOneOfEach } from './outcome.ts';

/** Retries of which ten pass in some seconds; in production they take a quarter of an hour. */
const SHORT = { RETRY_BASE_MS: '50', RETRY_MAX_MS: '250', PAUSE_PROBE_MS: '300' };
const OUTAGE_FAILURES = 10;
/** What a model is told whose answer has another form, and how often that fails. */
const REPAIR = 'did not have the asked form';
const REPAIR_FAILURES = 5;

let stack: Stack;
const placed: string[] = [];
beforeAll(async () => {
  stack = await startStack({ overrides: { transcriber: SHORT, summarizer: SHORT, extractor: SHORT } });
});
afterAll(() => stack.stop());
const removers: (() => void)[] = [];
afterEach(() => {
  for (const remove of removers.splice(0)) remove();
});

const break_ = (fault: Parameters<Stack['provider']['setFault']>[0]): (() => void) => {
  const remove = stack.provider.setFault(fault);
  removers.push(remove);
  return remove;
};
async function call(dialogueId = 'he-renovation'): Promise<string> {
  const { callSid, ended } = await stack.placeCall(dialogueId);
  placed.push(callSid);
  await ended;
  return callSid;
}
const answered = (route: string, since: number) =>
  stack.provider.requests.slice(since).filter((one) => one.route === route && one.status === 200).length;
const partOf = (callLog: Record<string, unknown>, stage: string) =>
  (callLog['stages'] as Record<string, { attempts: number; usage: Record<string, number>; costUsd: number }>)[stage];

describe('a provider that is down for ten delayed retries of each call, then up', () => {
  test.each([
    ['transcriptions', 'transcriber', ''],
    ['responses', 'summarizer', 'You summarise'],
    ['responses', 'extractor', 'You find facts'],
  ] as const)('of %s loses no call at %s and is paid once for each', async (route, stage, textIncludes) => {
    const since = stack.provider.requests.length;
    const up = break_({ route, match: { textIncludes }, kind: 'status', status: 503 });
    const calls = [await call(), await call('en-plumbing'), await call('he-plumbing')];
    await eventually(`each call has failed ${OUTAGE_FAILURES} times at ${stage}`, () =>
      calls.every((callSid) => retriesOf(callSid, stage) >= OUTAGE_FAILURES),
    );
    up();
    for (const callSid of calls) {
      const { callLog, body } = await arrivedOutcome(stack, callSid);
      expect(body).toMatchObject({ status: 'complete' });
      expect(partOf(callLog, stage)?.attempts).toBeGreaterThan(OUTAGE_FAILURES);
    }
    expect(answered('responses', since), 'one summary and one extraction of each call').toBe(calls.length * 2);
    const logs = await Promise.all(calls.map((callSid) => stack.records.callLog(callSid)));
    const stretches = logs.reduce((sum, log) => sum + (partOf(log ?? {}, 'transcriber')?.usage['requests'] ?? 0), 0);
    expect(answered('transcriptions', since), 'each stretch of speech once').toBe(stretches);
  });
});

test('a call of which one stretch of speech meets 503s pays once for the others, whichever process it comes to', async () => {
  const [other] = await stack.fleet.start('transcriber');
  const since = stack.provider.requests.length;
  const names = ['en-plumbing', 'he-plumbing', 'he-renovation', 'en-plumbing'];
  const lastWords = (await loadDialogues())
    .filter(({ id }) => names.includes(id))
    .map(({ turns }) => turns.at(-1)?.text);
  const up = lastWords.map((text) =>
    break_({ route: 'transcriptions', match: { textIncludes: text ?? '' }, kind: 'status', status: 503 }),
  );
  const calls = await Promise.all(names.map((name) => call(name)));
  await eventually('each call was given back often, and by both processes', () =>
    calls.every((callSid) => {
      const retries = retriesAt(callSid, 'transcriber').filter(({ fields }) => fields['usage'] !== undefined);
      return retries.length >= REPAIR_FAILURES && new Set(retries.map(({ instance }) => instance)).size === 2;
    }),
  );
  for (const remove of up) remove();
  let stretches = 0;
  for (const callSid of calls) {
    const { callLog, body } = await arrivedOutcome(stack, callSid);
    expect(body).toMatchObject({ status: 'complete' });
    const requests = partOf(callLog, 'transcriber')?.usage['requests'] ?? 0;
    expect(requests, 'the others and the one').toBeGreaterThan(1);
    stretches += requests;
  }
  expect(answered('transcriptions', since), 'each stretch of speech once').toBe(stretches);
  await other?.stop();
});

describe('a first answer that cannot be used, whose repair meets 503s', () => {
  test.each([
    ['summarizer', 'You summarise', 'malformed'],
    ['extractor', 'You find facts', 'invalid_schema'],
  ] as const)(
    'is paid once at %s, and so is its repair, whichever process the call comes to',
    async (stage, prompt, kind) => {
      const [other] = await stack.fleet.start(stage);
      const since = stack.provider.requests.length;
      const names = ['he-renovation', 'en-plumbing', 'he-plumbing', 'he-renovation'];
      const up = break_({ route: 'responses', match: { textIncludes: REPAIR }, kind: 'status', status: 503 });
      break_({ route: 'responses', match: { textIncludes: prompt }, kind, times: names.length });
      const calls = await Promise.all(names.map((name) => call(name)));
      await eventually('each call was given back often, and by both processes', () =>
        calls.every((callSid) => {
          const retries = retriesAt(callSid, stage);
          return retries.length >= REPAIR_FAILURES && new Set(retries.map(({ instance }) => instance)).size === 2;
        }),
      );
      up();
      for (const callSid of calls) {
        const { callLog, body } = await arrivedOutcome(stack, callSid);
        expect(body).toMatchObject({ status: 'complete' });
        expect(partOf(callLog, stage)?.usage['requests'], 'both were paid for this call, and it says so').toBe(2);
      }
      expect(answered('responses', since), 'a first answer, its repair, and the answer of the other stage').toBe(
        calls.length * 3,
      );
      await other?.stop();
    },
  );
});

const REJECTIONS = [
  ['transcriptions', 'transcriber', 'model', 404, 'model_not_found'],
  ['responses', 'summarizer', 'model', 404, 'model_not_found'],
  ['responses', 'summarizer', 'credentials', 401, 'invalid_api_key'],
  ['responses', 'summarizer', 'quota', 429, 'insufficient_quota'],
] as const;

describe('a stage whose provider rejects us', () => {
  test.each(REJECTIONS)(
    '%s: %s pauses for its %s (%s), keeps the call, and goes on by itself',
    async (route, stage, reason, status, code) => {
      const back = break_({ route, kind: 'status', status, code });
      const callSid = await call();
      await eventually('the metric says paused', async () => (await pausedBy(stage, reason)) === 1);
      expect(await stack.records.callLog(callSid)).toBeNull();
      back();
      expect((await arrivedOutcome(stack, callSid)).body).toMatchObject({ status: 'complete', city: 'תל אביב' });
      await eventually('the metric says resumed', async () => (await pausedBy(stage, reason)) === 0);
    },
  );

  test('leaves readiness green, so that a rollout with another model proceeds', async () => {
    break_({ route: 'responses', kind: 'status', status: 404, code: 'model_not_found' });
    await call();
    await eventually('it is paused', async () => (await pausedBy('summarizer', 'model')) === 1);
    const [summarizer] = stack.fleet.of('summarizer');
    const ready = await fetch(`${summarizer?.healthUrl}/health/ready`);
    expect(ready.status).toBe(200);
  });
});

test('what each part cost stands in the CallLog, and everything reached its end once', async () => {
  const callSid = await call();
  const { callLog } = await arrivedOutcome(stack, callSid);
  expect(partOf(callLog, 'transcriber')?.usage['audioSeconds']).toBeGreaterThan(0);
  for (const stage of ['transcriber', 'summarizer', 'extractor']) {
    expect(partOf(callLog, stage)?.costUsd, stage).toBeGreaterThan(0);
  }
  for (const one of placed) await arrivedOutcome(stack, one);
  await expectOneOfEach(stack, placed);
});

function retriesOf(callSid: string, stage: string): number {
  return retriesAt(callSid, stage).length;
}

function retriesAt(callSid: string, stage: string) {
  const own = stack.lines.filter(({ service, fields }) => service === stage && fields['callSid'] === callSid);
  return own.filter(({ fields }) => fields['outcome'] === 'retried');
}

/** What the gauge of a stage says; undefined before it has said anything. */
async function pausedBy(stage: 'transcriber' | 'summarizer', reason: string): Promise<number | undefined> {
  const [running] = stack.fleet.of(stage);
  const metrics = await (await fetch(`${running?.healthUrl}/metrics`)).text();
  const gauge = metrics
    .split('\n')
    .find((line) => line.startsWith('stage_paused{') && line.includes(`reason="${reason}"`));
  return gauge === undefined ? undefined : Number(gauge.split(' ').at(-1));
}
