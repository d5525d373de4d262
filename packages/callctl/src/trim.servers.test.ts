import { randomBytes } from 'node:crypto';
import { brokerPermissions, connectOperator, provisionBroker, withOperator } from '@pipeline/messaging';
import { parseConfig } from '@pipeline/runtime';
import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { brokerSchema } from './config.ts';
import { run } from './fixtures/run.ts';
import { createProgressLogger } from './progress-logger.ts';
import type { Environment } from './verb.ts';

const password = randomBytes(12).toString('hex');
const logger = createProgressLogger(() => {});
let nats: RunningNats;

beforeAll(async () => {
  const { callctl, provision } = brokerPermissions();
  const users = Object.entries({ callctl, provision });
  nats = await startNats({ users: users.map(([user, permissions]) => ({ user, password, permissions })) });
  const config = parseConfig(brokerSchema, environmentOf('provision'));
  await provisionBroker({ config, identity: 'provision', instance: 'test', logger });
});
afterAll(() => nats?.stop());

test('provision --trim needs NATS and the rights of provision alone, and says stream by stream what it left and why', async () => {
  const first = await trim();
  expect(first).toMatchObject({ code: 0 });
  expect(first.out).toContain('CALL_ENDED: 0 % full, left alone\nCALL_TRANSCRIBED: 0 % full, left alone\n');

  await fill(11);
  const full = await trim('--dry-run', '--json');
  expect(full.code).toBe(0);
  const { ok, dryRun, streams } = JSON.parse(full.out);
  expect({ ok, dryRun }).toEqual({ ok: true, dryRun: true });
  expect(streams[0]).toMatchObject({ stream: 'CALL_ENDED', outcome: 'unsettled', removed: 0, maxBytes: 1_048_576 });
  expect(streams[0].bytes).toBeGreaterThan(0.6 * 1_048_576);
});

test('a stream that will soon be full and cannot be helped ends the schedule with 1, and names its stage', async () => {
  await fill(4);
  const { code, out } = await trim();
  expect(code).toBe(1);
  expect(out).toMatch(/^CALL_ENDED: 9\d % full, nothing may go: its oldest message is not settled yet$/m);
});

test('dead letters and large parts that fill up end the schedule with 1 as well: no consumer settles them, and full they hold up calls', async () => {
  const config = parseConfig(brokerSchema, environmentOf('callctl'));
  await withOperator({ config, identity: 'callctl', instance: 'test', logger }, async ({ js }) => {
    const body = Buffer.alloc(64 * 1_024);
    for (let at = 0; at < 14; at += 1) await js.publish(`call.dead.biz_1.CA${at}`, body);
    for (let at = 0; at < 14; at += 1) await js.publish('$O.CALL_EVENTS.C.some', body);
  });
  const { code, out } = await trim();
  expect(code).toBe(1);
  expect(out).toMatch(
    /^CALL_DEAD: 8\d % full, nothing may go: 14 dead letters wait for somebody \(callctl dead list\)$/m,
  );
  expect(out).toMatch(
    /^OBJ_CALL_EVENTS: 8\d % full, nothing may go: it leaves by age\. Raise STREAM_MAX_BYTES and run provision$/m,
  );
});

function trim(...options: string[]) {
  return run(['provision', '--trim', ...options], { environment: environmentOf('provision') });
}

/** Commands and events of an operator, who may publish any: 64 KiB each. */
async function fill(events: number): Promise<void> {
  const config = parseConfig(brokerSchema, environmentOf('callctl'));
  const operator = await connectOperator({ config, identity: 'callctl', instance: 'test', logger });
  const text = 'x'.repeat(64 * 1_024);
  for (let at = 0; at < events; at += 1) {
    const callSid = `CA${randomBytes(16).toString('hex')}`;
    const endedAt = '2025-12-09T10:30:00.000Z';
    const call = { from: null, to: null, direction: 'inbound', startedAt: endedAt, endedAt, durationSec: 0 } as const;
    const data = {
      call: { ...call, endedReason: 'completed', source: 'gateway' },
      analysis: { language: 'he', keywords: [], summary: { maxSentences: 3, tone: 'neutral' } },
      liveTranscript: [{ speaker: 'caller', text, startMs: 0 }],
    } as const;
    await operator.publish({
      type: 'call.ended',
      version: 1,
      id: `${callSid}:test:r1`,
      occurredAt: endedAt,
      businessId: 'biz_1',
      callSid,
      revision: 1,
      data: { ...data, analysis: { ...data.analysis, keywords: [] }, liveTranscript: [...data.liveTranscript] },
    });
  }
  await operator.close();
}

function environmentOf(user: string): Environment {
  return {
    NATS_URL: nats.url,
    NATS_USER: user,
    NATS_PASSWORD: password,
    STREAM_REPLICAS: '1',
    STREAM_MAX_BYTES: '1048576',
  };
}
