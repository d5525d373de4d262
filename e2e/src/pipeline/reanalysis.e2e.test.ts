import type { Document } from 'mongodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operate, runOperator } from '../stack/operator.ts';
import { eventually, startStack, type Stack } from '../stack/stack.ts';
import { outcomeOf } from './outcome.ts';
import { PROPERTY_FIELD } from './property-field.ts';

const BUSINESS = 'biz_safe_home';
/** What a revision may say otherwise; everything else of a call is a fact and stays. */
const MADE_AGAIN = ['revision', 'previous', 'stored_at', 'updatedAt', 'stages', 'summary', 'fields'];

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());

const callctl = (...args: string[]) => operate(args, 'callctl', stack.surroundings);
const paid = (): number => stack.provider.requests.filter(({ route }) => route !== 'realtime').length;
const facts = (log: Document | null) =>
  Object.fromEntries(Object.entries(log ?? {}).filter(([key]) => !MADE_AGAIN.includes(key)));
const call = async () => outcomeOf(stack, await stack.placeCall('he-renovation'));

async function changeSettings(change: (settings: { fields: object[] }) => object): Promise<void> {
  const settings = JSON.parse(await callctl('settings', 'get', BUSINESS, '--json')) as { fields: object[] };
  await operate(['settings', 'set', '-'], 'callctl', stack.surroundings, JSON.stringify(change(settings)));
}

describe('callctl reanalyze', () => {
  test('works one call again with the settings of today: fields anew, facts as they were, no webhook, the change shown', async () => {
    const { callSid, before } = await stored();
    await changeSettings((settings) => ({ ...settings, fields: [...settings.fields, PROPERTY_FIELD] }));
    const requests = paid();
    const webhooks = stack.receiver.received.length;
    const { output, errors, code } = await runOperator(
      ['reanalyze', '--call', callSid, '--from', 'summarized'],
      'callctl',
      stack.surroundings,
    );
    expect({ code, output }).toEqual({ code: 0, output: '1 calls worked again, 0 skipped\n' });
    expect(errors).toContain(`${callSid}  revision 2: changed`);
    expect(errors).toMatch(/property_type {2}\(not asked\) -> apartment/);
    const after = await stack.records.callLog(callSid);
    expect(facts(after)).toEqual(facts(before));
    expect(after).toMatchObject({
      revision: 2,
      previous: { revision: 1, summary: before?.['summary'], fields: before?.['fields'] },
      stages: { transcriber: before?.['stages'].transcriber, summarizer: before?.['stages'].summarizer },
    });
    expect(after?.['fields']).toContainEqual(
      expect.objectContaining({ key: 'property_type', status: 'found', value: 'apartment' }),
    );
    expect(paid() - requests, 'one extraction, no summary, no transcription').toBe(1);
    await eventually('the notice is settled', () => stack.streams.isIdle());
    expect(stack.receiver.received).toHaveLength(webhooks);
  });

  test('with --dry-run counts the calls and their cost, asks no provider and changes nothing', async () => {
    const { callSid } = await stored();
    const requests = paid();
    const printed = JSON.parse(await callctl('reanalyze', '--since', '1h', '--dry-run', '--json')) as object;
    expect(printed).toMatchObject({ dryRun: true, calls: expect.any(Number), unknown: 0, skipped: {} });
    expect(printed).toHaveProperty('costUsd', expect.any(Number));
    expect((printed as { costUsd: number }).costUsd).toBeGreaterThan(0);
    expect(paid()).toBe(requests);
    expect(await stack.records.callLog(callSid)).toMatchObject({ revision: 1 });
  });

  test('of a stretch of time works every call of the business once, and with --notify tells who opted in', async () => {
    await changeSettings((settings) => ({ ...settings, webhook_events: ['call.updated'] }));
    const { callSid } = await stored();
    const all = (await stack.records.callLogs()).filter((log) => log['businessId'] === BUSINESS);
    const run = ['reanalyze', '--since', '1h', '--business', BUSINESS, '--notify', '--rate', '50', '--json'];
    expect(JSON.parse(await callctl(...run))).toMatchObject({ stored: all.length, skipped: 0, waiting: 0 });
    for (const log of all) {
      expect(await stack.records.callLog(log['_id'])).toMatchObject({ revision: log['revision'] + 1 });
    }
    const updated = await eventually('the update arrives', () =>
      stack.receiver.received.find((one) => one.webhookId === `msg_${callSid}_updated_r2`),
    );
    expect(updated.verified).toBe(true);
    expect(JSON.parse(updated.rawBody.toString('utf8'))).toMatchObject({ event_type: 'call.updated', revision: 2 });
  });

  test('of a call that is not stored says so and publishes nothing', async () => {
    const run = await runOperator(['reanalyze', '--call', `CA${'0'.repeat(32)}`], 'callctl', stack.surroundings);
    expect(run).toMatchObject({ code: 0, output: '0 calls worked again, 1 skipped\n' });
    expect(run.errors).toContain('skipped: not stored');
  });
});

async function stored(): Promise<{ callSid: string; before: Document | null }> {
  const { callSid } = await call();
  return { callSid, before: await stack.records.callLog(callSid) };
}
