import { randomBytes } from 'node:crypto';
import { subjectOf } from '@pipeline/contracts';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { callOf } from '../stack/arrived.ts';
import { operate, runOperator } from '../stack/operator.ts';
import { eventually, startStack, type Stack } from '../stack/stack.ts';
import { arrivedOutcome, outcomeOf } from './outcome.ts';
import { PROPERTY_FIELD } from './property-field.ts';

let stack: Stack;
beforeAll(async () => {
  // More than the six looks, 300 ms apart, after which the latest recording of these tests is there.
  stack = await startStack({ overrides: { transcriber: { RECORDING_DEADLINE_MS: '5000' } } });
});
afterAll(() => stack.stop());
const removers: (() => void)[] = [];
afterEach(() => {
  for (const remove of removers.splice(0)) remove();
  stack.telephone.setRecordingBehaviour({});
});

const fault = (armed: Parameters<Stack['provider']['setFault']>[0]): void =>
  void removers.push(stack.provider.setFault(armed));
const call = async (dialogueId = 'he-renovation') => outcomeOf(stack, await stack.placeCall(dialogueId));

describe('a failure stays where it happened, and the webhook still leaves', () => {
  test('a recording that never appears: retried until its deadline, then skipped', async () => {
    stack.telephone.setRecordingBehaviour({ outcome: 'never' });
    const { callLog, body } = await call();
    expect(body).toMatchObject({
      status: 'partial',
      transcript: null,
      summary: null,
      city: null,
      service_category: null,
    });
    expect(body['stages']).toMatchObject({
      transcriber: { state: 'skipped', code: 'RECORDING_NOT_FOUND' },
      summarizer: { state: 'skipped', code: 'NO_TRANSCRIPT' },
      extractor: { state: 'skipped' },
    });
    expect(callLog['transcription'], 'the live transcript is kept, and is no substitute').toContain('שיפוצים');
    const stages = callLog['stages'] as { transcriber: { attempts: number } };
    expect(stages.transcriber.attempts).toBeGreaterThanOrEqual(5);
  });

  test('a recording that is late is waited for', async () => {
    stack.telephone.setRecordingBehaviour({ readyAfterLookups: 3, mediaNotFoundTimes: 1 });
    expect((await call()).body).toMatchObject({ status: 'complete', city: 'תל אביב' });
  });

  test('a silent call pays no provider and says why', async () => {
    const paid = stack.provider.requests.filter((one) => one.route !== 'realtime').length;
    const { body } = await call('silent');
    expect(body).toMatchObject({ transcript: null, stages: { transcriber: { state: 'skipped', code: 'NO_SPEECH' } } });
    expect(stack.provider.requests.filter((one) => one.route !== 'realtime')).toHaveLength(paid);
  });

  test('a caller who hangs up at once still has a CallLog and a webhook', async () => {
    const { body } = await call('hang-up');
    expect(body).toMatchObject({ event_type: 'call.completed', direction: 'inbound' });
  });

  test.each([
    ['refusal', 'PROVIDER_REFUSED'],
    ['truncated', 'OUTPUT_TRUNCATED'],
    ['malformed', 'OUTPUT_INVALID'],
  ] as const)('a summary that is a %s: null with its code, the transcript stays', async (kind, code) => {
    fault({ route: 'responses', kind });
    const { body } = await call();
    expect(body).toMatchObject({ summary: null, city: null, stages: { summarizer: { state: 'failed', code } } });
    expect(body['transcript']).toContain('שיפוצים');
  });

  test.each([429, 500, 503])('%s of the provider three times is only a delay', async (status) => {
    fault({ route: 'responses', kind: 'status', status, times: 3 });
    expect((await call()).body).toMatchObject({ status: 'complete', city: 'תל אביב' });
  });

  test('a rejected key pauses the stage and loses no call: it goes on when the key works again', async () => {
    fault({ route: 'responses', kind: 'status', status: 401, times: 4 });
    const placed = await stack.placeCall('he-renovation');
    await placed.ended;
    await eventually('the summarizer is paused', () => stack.lines.some((line) => line.fields['paused'] === true));
    expect((await arrivedOutcome(stack, placed.callSid)).body).toMatchObject({ status: 'complete' });
    expect(stack.lines.some((line) => line.fields['paused'] === false)).toBe(true);
  });

  test('words of a newer release, in a rollout or after one was taken back, reach CallLog and webhook as they are', async () => {
    const callSid = `CA${randomBytes(16).toString('hex')}`;
    const at = new Date().toISOString();
    const part = { state: 'failed', code: 'RECORDING_QUARANTINED', model: null, attempts: 1, ms: 0 };
    const newer = {
      type: 'call.transcribed',
      version: 1,
      id: `${callSid}:transcriber:r1`,
      occurredAt: at,
      businessId: 'biz_safe_home',
      callSid,
      revision: 1,
      data: {
        call: {
          from: null,
          to: null,
          direction: 'inbound',
          startedAt: at,
          endedAt: at,
          durationSec: 1,
          endedReason: 'moved_elsewhere',
          source: 'imported',
        },
        analysis: { language: 'he', keywords: [], summary: { maxSentences: 3, tone: 'solemn' } },
        liveTranscript: null,
        transcript: null,
        stages: { transcriber: { ...part, usage: null, costUsd: null } },
      },
    };
    const subject = subjectOf('call.transcribed', 'biz_safe_home', callSid);
    await stack.streams.publish(subject, Buffer.from(JSON.stringify(newer)));
    const { callLog, body } = await arrivedOutcome(stack, callSid);
    expect(callLog).toMatchObject({ source: 'imported', endedReason: 'moved_elsewhere', status: 'partial' });
    expect(body).toMatchObject({
      stages: { transcriber: { code: 'RECORDING_QUARANTINED' }, summarizer: { code: 'NO_TRANSCRIPT' } },
    });
  });

  test('bytes that are no event go to the dead letters, and the consumer goes on', async () => {
    const callSid = `CA${randomBytes(16).toString('hex')}`;
    await stack.streams.publish(subjectOf('call.ended', 'biz_safe_home', callSid), Buffer.from('{"no":"event"'));
    await eventually('the dead letter is stored', () => stack.streams.holds('call.dead', callSid));
    expect(await stack.records.callLog(callSid)).toBeNull();
    expect((await call()).body).toMatchObject({ status: 'complete' });
  });
});

describe('erasure', () => {
  test('an erased call is a tombstone that no repeated event brings back, and who wants to know is told once', async () => {
    const settings = JSON.parse(
      await operate(['settings', 'get', 'biz_safe_home', '--json'], 'callctl', stack.surroundings),
    ) as object;
    const wishing = { ...settings, webhook_events: ['call.erased'] };
    await operate(['settings', 'set', '-'], 'callctl', stack.surroundings, JSON.stringify(wishing));
    const { callSid, callLog } = await call();
    // Only asked for: its events stay in the streams, so that there is something to repeat.
    const asking = ['erase', callSid, '--business', String(callLog['businessId']), '--wait', '0'];
    await operate(asking, 'callctl', stack.surroundings);
    const erased = await eventually('the tombstone is written', async () => {
      const document = await stack.records.callLog(callSid);
      return document?.['erased'] === true && document;
    });
    expect(JSON.stringify(erased)).not.toMatch(/[א-ת]|\+972/);
    const told = await eventually('the erasure is told', () =>
      stack.receiver.received.find((one) => one.webhookId === `msg_${callSid}_erased`),
    );
    expect(told.verified).toBe(true);
    expect(told.rawBody.toString('utf8')).not.toMatch(/[א-ת]|\+972/);
    const webhooks = stack.receiver.received.length;
    expect(await stack.streams.count('call.summarized', callSid)).toBe(1);
    await stack.streams.publishAllAgain();
    expect(await stack.streams.count('call.summarized', callSid)).toBeGreaterThan(1);
    await eventually('every stage has settled every event', () => stack.streams.isIdle());
    expect(await stack.records.callLog(callSid)).toEqual(erased);
    expect(stack.receiver.received).toHaveLength(webhooks);
  });
});

describe('a field of one business', () => {
  test('is a line in its settings: the next webhook has it, with no other change', async () => {
    const before = await call();
    expect(JSON.stringify(before.body['fields'])).not.toContain('property_type');
    const settings = JSON.parse(
      await operate(['settings', 'get', 'biz_safe_home', '--json'], 'callctl', stack.surroundings),
    ) as {
      fields: object[];
    };
    const changed = { ...settings, fields: [...settings.fields, PROPERTY_FIELD] };
    await operate(['settings', 'set', '-'], 'callctl', stack.surroundings, JSON.stringify(changed));
    const after = await call();
    expect(after.body['fields']).toContainEqual(
      expect.objectContaining({ key: 'property_type', status: 'found', value: 'apartment' }),
    );
    expect(after.webhook.verified, 'the masked secret was kept').toBe(true);
  });
});

describe('a dead letter whose cause is mended', () => {
  const callctl = (...args: string[]) => runOperator(args, 'callctl', stack.surroundings);

  test('comes through to CallLog and webhook, once; replayed again it changes nothing, and an erased call stays erased', async () => {
    await stack.fleet.stop('transcriber');
    const placed = await stack.placeCall('he-renovation');
    await placed.ended;
    const { callSid } = placed;
    await eventually('its end is published', () => stack.streams.holds('call.ended', callSid));
    const setAsideAgain = await stack.streams.setAside('call.ended', callSid);
    await stack.fleet.start('transcriber');

    const told = async (): Promise<boolean> => /^dead_letters(?:\{[^}]*\})? 2$/m.test(await metricsOfExtractor());
    await eventually('extractor tells that there are two dead letters', told, 60_000);
    const why = await callctl('why', callSid);
    expect(why).toMatchObject({ code: 1, output: expect.stringContaining(`callctl dead replay ${callSid}`) });
    const shown = await callctl('dead', 'show', callSid);
    expect(shown.output).toContain('This version reads it: call.ended, revision 1.');
    expect(shown.output).not.toMatch(/[א-ת]|\+972/);
    expect((await callctl('dead', 'show', callSid, '--body')).output).toContain('שיפוצים');
    const listed = await callctl('dead', 'list', '--stage', 'transcriber', '--reason', 'INVALID_EVENT');
    expect(listed.output).toMatch(new RegExp(`^\\d+ .*${callSid} of biz_safe_home  transcriber: INVALID_EVENT`));
    const all = ['dead', 'replay', '--all', '--since', '1h'];
    const rehearsed = await callctl(...all, '--dry-run', '--json');
    expect(rehearsed.code, 'bytes that are no event are there too').toBe(1);
    expect(JSON.parse(rehearsed.output)).toMatchObject({ dryRun: true, replayed: 1, refused: 1 });
    expect(await stack.streams.count('call.ended', callSid)).toBe(0);

    expect((await callctl(...all, '--reason', 'INVALID_EVENT')).output).toBe('1 replayed\n');
    const { callLog, body } = await arrivedOutcome(stack, callSid);
    expect(body).toMatchObject({ status: 'complete', city: 'תל אביב' });
    expect(callLog['transcription'], 'with its live transcript').toContain('שיפוצים');
    expect(await callctl('dead', 'replay', callSid)).toMatchObject({
      code: 1,
      errors: expect.stringContaining('no dead letter'),
    });

    await setAsideAgain();
    expect((await callctl('dead', 'replay', callSid)).output).toContain('1 left: their call has gone on and is stored');
    expect(await stack.streams.count('call.ended', callSid)).toBe(1);
    expect(await stack.records.deliveries(callSid)).toHaveLength(1);
    expect(stack.receiver.received.filter((one) => callOf(one) === callSid)).toHaveLength(1);
    await operate(['dead', 'remove', callSid], 'callctl', stack.surroundings);

    await operate(['erase', callSid, '--business', 'biz_safe_home'], 'callctl', stack.surroundings);
    await setAsideAgain();
    expect((await callctl('dead', 'replay', callSid)).output).toContain('1 left: their call was erased');
    expect(await stack.streams.holds('call.ended', callSid)).toBe(false);
    expect(await stack.records.callLog(callSid)).toMatchObject({ erased: true });
    await operate(['dead', 'remove', callSid], 'callctl', stack.surroundings);
    expect(await stack.streams.holds('call.dead', callSid)).toBe(false);
  });
});

describe('log lines', () => {
  test('hold no phone number, no name and no words of a caller, whatever failed before', () => {
    const printed = JSON.stringify(stack.lines);
    expect(printed).toContain("Extracted city: 'תל אביב'");
    for (const canary of [
      '972501234567',
      '97235550100',
      'דני לוי',
      'כיכר רבין',
      'עוד השבוע',
      stack.surroundings.providerKey,
    ]) {
      expect(printed, canary).not.toContain(canary);
    }
  });
});

async function metricsOfExtractor(): Promise<string> {
  const [extractor] = stack.fleet.of('extractor');
  return (await fetch(`${extractor?.healthUrl}/metrics`)).text();
}
