import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { outcomeOf } from '../pipeline/outcome.ts';
import { callOf } from '../stack/arrived.ts';
import { operate, runOperator } from '../stack/operator.ts';
import { eventually, startStack, type Stack } from '../stack/stack.ts';
import { holdingsOf, placesOf } from './holdings.ts';

const BUSINESS = 'biz_safe_home';
/** The caller of the dialogue: the number, the name, words of theirs, and where they live. */
const CALLER = ['972501234567', 'דני לוי', 'כיכר רבין', 'עוד השבוע', 'תל אביב'];

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
  await changeSettings({ webhook_events: ['call.erased'] });
});
afterAll(() => stack.stop());

const callctl = (...args: string[]) => operate(args, 'callctl', stack.surroundings);
const sweep = async (...options: string[]) =>
  JSON.parse(await operate(['sweep', '--json', ...options], 'eraser', stack.surroundings)) as {
    readonly again: object;
    readonly retention: object;
  };
/** What is held of the caller, apart from the settings of businesses, which know nobody. */
const held = async () =>
  (await holdingsOf(stack.surroundings, CALLER)).filter(({ where }) => where !== 'business_settings');
const recordingOf = (sid: string) => stack.telephone.calls.find(({ callSid }) => callSid === sid)?.recording;
const webhooksOf = (callSid: string) => stack.receiver.received.filter((one) => callOf(one) === callSid);

async function changeSettings(change: object): Promise<void> {
  const settings = JSON.parse(await callctl('settings', 'get', BUSINESS, '--json')) as object;
  await operate(['settings', 'set', '-'], 'callctl', stack.surroundings, JSON.stringify({ ...settings, ...change }));
}

async function untilSettled(callSid: string): Promise<void> {
  await eventually('every stage has settled every event', () => stack.streams.isIdle());
  await eventually('its webhook is at an end', async () =>
    (await stack.records.deliveries(callSid)).every(({ state }) => state === 'delivered'),
  );
}

describe('a call that is erased', () => {
  test('leaves no number, no name and no word of its caller in any stream, bucket or collection', async () => {
    const { callSid } = await outcomeOf(stack, await stack.placeCall('he-renovation'));
    await untilSettled(callSid);
    // A copy for a person to look at, as a message that killed its worker leaves it.
    await stack.streams.publish(`call.dead.${BUSINESS}.${callSid}`, Buffer.from(`{"from":"+${CALLER[0]}"}`));
    const places = new Set((await held()).map(({ where }) => where));
    for (const place of [
      'CALL_ENDED',
      'CALL_TRANSCRIBED',
      'CALL_SUMMARIZED',
      'CALL_DEAD',
      'call_logs',
      'webhook_deliveries',
    ])
      expect(places, 'what the search finds before').toContain(place);
    expect(await placesOf(stack.surroundings)).toContain('OBJ_CALL_EVENTS');

    expect(recordingOf(callSid)).toMatchObject({ deleted: false });
    const erasing = JSON.parse(await callctl('erase', callSid, '--business', BUSINESS, '--json')) as object;
    expect(erasing).toMatchObject({ erased: true, recordings: 1 });
    expect(recordingOf(callSid), 'at Twilio').toMatchObject({ deleted: true });
    expect(await held()).toEqual([]);
    expect(await stack.records.callLog(callSid)).toMatchObject({ erased: true });

    const told = await eventually('the erasure is told', () =>
      stack.receiver.received.find((one) => one.webhookId === `msg_${callSid}_erased`),
    );
    expect(told.verified).toBe(true);
    await untilSettled(callSid);
    await sweep();
    expect(await held(), 'after what the announcement wrote').toEqual([]);
    const rows = await stack.records.deliveries(callSid);
    expect(Object.fromEntries(rows.map(({ eventType, state }) => [eventType, state]))).toEqual({
      'call.completed': 'delivered',
      'call.erased': 'delivered',
    });
    const webhooks = webhooksOf(callSid).length;
    await callctl('erase', callSid, '--business', BUSINESS);
    await untilSettled(callSid);
    expect(webhooksOf(callSid), 'erased twice, told once').toHaveLength(webhooks);
  });

  test('of another business is refused, and nothing is touched', async () => {
    const { callSid, callLog } = await outcomeOf(stack, await stack.placeCall('he-renovation'));
    const { code, errors } = await runOperator(
      ['erase', callSid, '--business', 'biz_homecare'],
      'callctl',
      stack.surroundings,
    );
    expect({ code, errors }).toMatchObject({ code: 1, errors: expect.stringContaining(`is of business ${BUSINESS}`) });
    expect(await stack.records.callLog(callSid)).toEqual(callLog);
    expect(await stack.streams.count('call.ended', callSid)).toBe(1);
    await callctl('erase', callSid, '--business', BUSINESS);
  });

  test('while a stage has it in its hand: what that stage publishes afterwards is dropped, and gone after the next sweep', async () => {
    const remove = stack.provider.setFault({ route: 'responses', kind: 'delay', ms: 3_000 });
    const [summarizer] = stack.fleet.of('summarizer');
    if (summarizer === undefined) throw new Error('no summarizer is running');
    const asked = stack.provider.requests.length;
    const call = await stack.placeCall('he-renovation');
    await call.ended;
    await eventually('the summarizer asks', () =>
      stack.provider.requests.slice(asked).some(({ route }) => route === 'responses'),
    );
    process.kill(summarizer.pid, 'SIGSTOP');
    try {
      await callctl('erase', call.callSid, '--business', BUSINESS);
      expect(await held(), 'while the call is in its hand').toEqual([]);
    } finally {
      process.kill(summarizer.pid, 'SIGCONT');
      remove();
    }
    await eventually('the summarizer publishes what it had', () =>
      stack.streams.holds('call.summarized', call.callSid),
    );
    await eventually('every stage has settled every event', () => stack.streams.isIdle());
    expect(await stack.records.callLog(call.callSid), 'no event brings it back').toMatchObject({ erased: true });
    expect((await held()).map(({ where }) => where)).toEqual(['CALL_SUMMARIZED']);

    const both = await Promise.all([sweep(), sweep()]);
    expect(both.map(({ again }) => again)).toContainEqual(expect.objectContaining({ calls: expect.any(Number) }));
    expect(await held()).toEqual([]);
    const told = () => webhooksOf(call.callSid).map(({ webhookId }) => webhookId);
    await eventually('the erasure is told', () => told().length > 0);
    expect(told()).toEqual([`msg_${call.callSid}_erased`]);
  });
});

describe('a call past the retention of its business', () => {
  test('is emptied with all that is held of it, and one that is younger stays', async () => {
    await changeSettings({ retention_days: 30 });
    const [old, young] = [await finished(), await finished()];
    await endedAgo(old, 31);
    await endedAgo(young, 29);
    const youngLog = await stack.records.callLog(young);
    expect(await sweep('--dry-run')).toMatchObject({ retention: { due: 1, emptied: 1, messages: 0 } });
    expect(await stack.records.callLog(old)).toMatchObject({ status: 'complete' });

    expect(await sweep()).toMatchObject({ retention: { due: 1, inWork: 0, emptied: 1, bodies: 1 } });
    const shell = await eventually('extractor has emptied the CallLog', async () => {
      const found = await stack.records.callLog(old);
      return found?.['expired'] === true && found;
    });
    expect(Object.keys(shell).toSorted()).toEqual(['_id', 'businessId', 'endedAt', 'expired', 'revision']);
    const of = (await held()).map((holding) => holding.of);
    expect(of.filter((one) => one.includes(old))).toEqual([]);
    expect(of.filter((one) => one.includes(young)).length).toBeGreaterThan(3);
    expect(await stack.records.callLog(young)).toEqual(youngLog);
    expect(await stack.records.deliveries(old), 'the row outlives its CallLog').toMatchObject([{ state: 'delivered' }]);
    expect(await sweep()).toMatchObject({ retention: { due: 0, emptied: 0 } });
    expect(
      webhooksOf(old).map(({ webhookId }) => webhookId),
      'nobody is told',
    ).toEqual([`msg_${old}_completed`]);
  });

  test('is left alone while its webhook has still to arrive; erased then, that webhook is let go and call.erased leaves', async () => {
    stack.receiver.respond(({ webhookId }) => (webhookId?.endsWith('_erased') === true ? 204 : 503));
    const call = await stack.placeCall('he-renovation');
    await call.ended;
    const { callSid } = call;
    await eventually('the receiver refuses', () => webhooksOf(callSid).length > 0);
    await endedAgo(callSid, 31);
    await eventually('every stage has settled every event', () => stack.streams.isIdle());
    expect(await sweep()).toMatchObject({ retention: { due: 1, inWork: 1, emptied: 0, messages: 0, bodies: 0 } });
    const of = async () => (await held()).filter((holding) => holding.of.includes(callSid)).map(({ where }) => where);
    expect(await of()).toEqual(expect.arrayContaining(['CALL_ENDED', 'call_logs', 'webhook_deliveries']));

    await callctl('erase', callSid, '--business', BUSINESS);
    expect(await of()).toEqual([]);
    const rows = await eventually(
      'call.erased has arrived',
      async () => {
        const found = await stack.records.deliveries(callSid);
        return found.some(({ eventType, state }) => eventType === 'call.erased' && state === 'delivered') && found;
      },
      60_000,
    );
    const completed = rows.find(({ eventType }) => eventType === 'call.completed');
    expect(completed).toMatchObject({ state: 'cancelled', lease: null });
    expect(completed, 'it waits for nothing').not.toHaveProperty('nextAttemptAt');
    expect(completed).not.toHaveProperty('body');
    stack.receiver.respond(204);
  });

  async function finished(): Promise<string> {
    const { callSid } = await outcomeOf(stack, await stack.placeCall('he-renovation'));
    await untilSettled(callSid);
    return callSid;
  }

  /** Says that a call ended so many days ago, as extractor's user: nobody else may. */
  async function endedAgo(callSid: string, days: number): Promise<void> {
    const { mongoUrl, databasePrefix, credentials } = stack.surroundings;
    const { user, password } = credentials.extractor;
    const client = new MongoClient(mongoUrl, { auth: { username: user, password }, authSource: 'admin' });
    try {
      const endedAt = new Date(Date.now() - days * 86_400_000);
      const logs = client.db(`${databasePrefix}calls`).collection<{ _id: string; endedAt: Date }>('call_logs');
      await logs.updateOne({ _id: callSid }, { $set: { endedAt } });
    } finally {
      await client.close();
    }
  }
});
