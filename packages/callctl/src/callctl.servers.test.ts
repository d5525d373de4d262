import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
// oxlint-disable-next-line no-restricted-imports -- the test stands for extractor, whose CallLogs are shown
import { createCallLogWriter } from '@pipeline/call-store/call-log-writer';
import { connectStore, createDeliveryStore, DEFAULT_LIMITS } from '@pipeline/call-store/deliveries';
import { DATABASE_ROLES, type Database, type Identity } from '@pipeline/contracts';
import type { Resolution } from '@pipeline/egress';
import { brokerPermissions, connectOperator, type Operator } from '@pipeline/messaging';
import { parseConfig } from '@pipeline/runtime';
import { startMongo, startNats, type RunningMongo, type RunningNats } from '@pipeline/sandbox/servers';
import { brokerSchema, storeSchema } from './config.ts';
import { callLogOf } from './fixtures/call-log.ts';
import { run, type Run } from './fixtures/run.ts';
import { createProgressLogger } from './progress-logger.ts';
import type { Environment } from './verb.ts';

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;
const key = randomBytes(32).toString('base64');
const password = randomBytes(12).toString('hex');
const logger = createProgressLogger(() => {});
const never = new AbortController().signal;
const USED = ['callctl', 'provision', 'extractor', 'webhook-dispatcher', 'eraser'] as const satisfies Identity[];
let mongo: RunningMongo;
let nats: RunningNats;

// The slowest of the servers, on a machine that does other things, takes ten times as long as mongod.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  const users = USED.map((user) => ({ user, password }));
  const permissions = brokerPermissions();
  mongo = await startMongo({ users: users.map(({ user }) => ({ user, password, roles: rolesOf(user) })) });
  nats = await startNats({ users: users.map(({ user }) => ({ user, password, permissions: permissions[user] })) });
});
afterAll(async () => {
  await mongo?.stop();
  await nats?.stop();
});

test('provision makes all there is to make, says so line by line, and changes nothing the second time', async () => {
  const first = await run(['provision', '--wait', '20', '--json'], { environment: environmentOf('provision') });
  expect(first).toMatchObject({ code: 0 });
  const { ok, lines } = JSON.parse(first.out);
  expect(ok).toBe(true);
  expect(lines).toContain('calls.call_logs.retention: created');
  expect(lines).toContain('CALL_ENDED: created');
  const second = await run(['provision'], { environment: environmentOf('provision') });
  expect(second).toMatchObject({ code: 0, out: 'all is provisioned' });
  expect(second.error).not.toContain('created');
});

test('a limit that is wider than configured is left and named with the way to shrink it, and shrunk when asked for', async () => {
  const provision = (hours: string, ...options: string[]) =>
    run(['provision', ...options], { environment: { ...environmentOf('provision'), STREAM_MAX_AGE_HOURS: hours } });
  expect((await provision('240')).error).toContain('changed: CALL_ENDED max_age');
  const left = await provision('168');
  expect(left).toMatchObject({ code: 0, error: expect.stringContaining('left wider: CALL_ENDED max_age') });
  expect(left.error).toContain('callctl provision --narrow');
  expect(await provision('168', '--narrow')).toMatchObject({
    code: 0,
    error: expect.stringContaining('changed: CALL_ENDED max_age'),
  });
  expect((await provision('168')).error).not.toContain('left wider');
});

test('a stage is let to look at its whole stream again with the rights of provision', async () => {
  await run(['provision'], { environment: environmentOf('provision') });
  const reread = await run(['provision', '--reread', 'webhook-dispatcher'], {
    environment: environmentOf('provision'),
  });
  expect(reread).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^webhook-dispatcher looks at \d+ messages again/),
  });
  const again = await run(['provision'], { environment: environmentOf('provision') });
  expect(again).toMatchObject({
    code: 0,
    error: expect.stringContaining('CALL_EXTRACTED/webhook-dispatcher: as expected'),
  });
});

test('settings that are set come back with their secrets masked, and may be edited and set again', async () => {
  const settings = settingsOf('biz_1', ['+972501234567']);
  expect(await callctl(['settings', 'set', 'a.json'], settings)).toMatchObject({
    code: 0,
    out: 'stored the settings of business biz_1',
  });
  const shown = await callctl(['settings', 'get', 'biz_1']);
  expect(shown.code).toBe(0);
  expect(shown.out).not.toContain(SECRET);
  expect(shown.out).not.toContain('canary');
  const edited = { ...JSON.parse(shown.out), name: 'Renamed' };
  expect((await callctl(['settings', 'set', 'a.json'], edited)).code).toBe(0);
  expect(JSON.parse((await callctl(['settings', 'get', 'biz_1'])).out).name).toBe('Renamed');
  const unknown = { ...edited, id: 'biz_other', phone_numbers: [] };
  expect(await callctl(['settings', 'set', 'a.json'], unknown)).toMatchObject({
    code: 1,
    error: expect.stringContaining('[kept]'),
  });
});

test('a business that is not there, a taken number and invalid settings are told in words and end with 1', async () => {
  await callctl(['settings', 'set', 'a.json'], settingsOf('biz_1', ['+972501234567']));
  const missing = await callctl(['settings', 'get', 'biz_none']);
  expect(missing).toMatchObject({
    code: 1,
    error: expect.stringContaining('there are no settings for business biz_none'),
  });
  const taken = await callctl(['settings', 'set', 'a.json'], settingsOf('biz_2', ['+972501234567']));
  expect(taken).toMatchObject({ code: 1, error: 'callctl: one of the phone numbers belongs to business biz_1' });
  const invalid = await callctl(['settings', 'set', 'a.json'], { ...settingsOf('biz_3', []), language: 'HEBREW' });
  expect(invalid).toMatchObject({ code: 1, error: expect.stringContaining('$.language') });
});

test('a webhook URL whose name leads inside is refused when it is saved; one that has no address from here is warned of', async () => {
  const set = (resolution: Resolution) =>
    run(['settings', 'set', 'a.json'], {
      environment: environmentOf('callctl'),
      files: { 'a.json': JSON.stringify(settingsOf('biz_inside', [])) },
      resolve: async () => resolution,
    });
  const inside = await set({ kind: 'addresses', addresses: ['93.184.216.34', '169.254.169.254'] });
  expect(inside).toMatchObject({ code: 1, error: expect.stringContaining('$.inbound_webhook_url: ip_blocked') });
  expect((await callctl(['settings', 'get', 'biz_inside'])).code).toBe(1);
  const unknown = await set({ kind: 'failed', code: 'dns_no_address' });
  expect(unknown).toMatchObject({
    code: 0,
    out: expect.stringContaining('warning: $.inbound_webhook_url: dns_no_address'),
  });
});

test('show tells a call and its webhooks, what was said only when asked for', async () => {
  const callSid = newCallSid();
  await storeCall(callSid);
  const plain = await callctl(['show', callSid]);
  expect(plain.code).toBe(0);
  expect(plain.out).toContain('תל אביב');
  expect(plain.out).toMatch(/webhook +msg_CA\w+_completed to biz_1: delivering, attempts 0/);
  expect(plain.out).not.toContain('spoken words');
  expect(plain.out).not.toContain('\u2068');
  expect((await callctl(['show', callSid, '--transcript'])).out).toContain('caller: spoken words');
  const terminal = await run(['show', callSid], { environment: environmentOf('callctl'), isTerminal: true });
  expect(terminal.out).toContain('\u2068תל אביב\u2069');
  const json = JSON.parse((await callctl(['show', callSid, '--json'])).out);
  expect(json).toMatchObject({
    kind: 'call',
    callLog: { callSid, extracted_city: 'תל אביב' },
    deliveries: [{ state: 'delivering' }],
  });
  expect(JSON.stringify(json)).not.toContain('spoken words');
});

test('a call that nobody stored ends with 1, an erased one is told as erased', async () => {
  const callSid = newCallSid();
  expect(await callctl(['show', callSid])).toMatchObject({
    code: 1,
    error: expect.stringContaining(`nothing is stored for call ${callSid}`),
  });
  const store = await openStore('extractor');
  await createCallLogWriter(store).erase({ callSid, businessId: 'biz_1', revision: 1 }, never);
  await store.close();
  expect(await callctl(['show', callSid])).toMatchObject({
    code: 0,
    out: `call ${callSid} of business biz_1 was erased (revision 1)`,
  });
});

test('why tells a call that is stored and being sent, one that waits in a stream, one that was erased, and one that nobody knows', async () => {
  await run(['provision'], { environment: environmentOf('provision') });
  const stored = newCallSid();
  await storeCall(stored);
  const sending = await callctl(['why', stored]);
  expect(sending.code).toBe(0);
  expect(sending.out).toMatch(/The call is stored and its webhook is being sent now/);
  expect(sending.out).toMatch(/CallLog +\S+ {2}partial, revision 1/);
  expect(sending.out).not.toContain('spoken words');
  expect(JSON.parse((await callctl(['why', stored, '--json'])).out)).toMatchObject({
    businessId: 'biz_1',
    verdict: { place: 'waiting_to_send' },
    streams: { kind: 'read', events: { 'call.ended': null } },
  });

  const waiting = newCallSid();
  await publishEnded(waiting);
  const { code, out } = await callctl(['why', waiting]);
  expect(code).toBe(0);
  expect(out).toContain(`call ${waiting} of business biz_1`);
  expect(out).toContain('transcriber has call.ended to do');
  const nobody = await callctl(['why', newCallSid()]);
  expect(nobody).toMatchObject({ code: 1, out: expect.stringContaining('Nothing is known of this call') });

  const half = { ...environmentOf('callctl'), NATS_URL: 'nats://127.0.0.1:9' };
  const halfBlind = await run(['why', stored], { environment: half });
  expect(halfBlind.out).toContain('streams: not asked, no NATS at nats://127.0.0.1:9');
  expect(halfBlind.out).toContain('being sent now');
});

test('the watermark of reconciler is shown, set back and reset with the rights of callctl, and never moved to where nobody may look', async () => {
  await run(['provision'], { environment: environmentOf('provision') });
  expect(await callctl(['watermark', 'reset'])).toMatchObject({ code: 0, out: expect.stringContaining('4 days') });
  expect((await callctl(['watermark', 'show'])).out).toContain('no watermark');
  const set = await callctl(['watermark', 'set', '12h', '--json']);
  const { endedAt, before } = JSON.parse(set.out);
  expect(before).toBeNull();
  expect(Math.abs(Date.parse(endedAt) - Date.now() + 12 * 3_600_000)).toBeLessThan(60_000);
  expect((await callctl(['watermark', 'show'])).out).toContain(`looks from ${endedAt} on`);
  for (const [typed, code, words] of [
    ['2099-01-01', 1, 'above now'],
    ['31d', 1, '30 days at most'],
    ['yesterday', 2, '<time> takes a duration (24h)'],
  ] as const)
    expect(await callctl(['watermark', 'set', typed])).toMatchObject({ code, error: expect.stringContaining(words) });
  expect(JSON.parse((await callctl(['watermark', 'show', '--json'])).out)).toEqual({ endedAt });
  expect(JSON.parse((await callctl(['watermark', 'reset', '--json'])).out)).toEqual({ endedAt: null, before: endedAt });
});

test('erase publishes the command of the call, once however often it is typed', async () => {
  await run(['provision'], { environment: environmentOf('provision') });
  const callSid = newCallSid();
  for (let time = 0; time < 2; time += 1) {
    const asked = await callctl([
      'erase',
      callSid,
      '--business',
      'biz_1',
      '--by',
      'Dana',
      '--wait',
      '0',
      '--without-recordings',
    ]);
    expect(asked).toMatchObject({ code: 0, out: expect.stringContaining('is not erased yet') });
  }
  const command = await asOperator((operator) => operator.lastEvent('call.erase', 'biz_1', callSid));
  expect(command).toMatchObject({ callSid, businessId: 'biz_1', revision: 1, data: { requestedBy: 'Dana' } });
});

test('erase removes nothing before the tombstone stands and says so; then everything, and a sweep finds nothing more', async () => {
  await run(['provision'], { environment: environmentOf('provision') });
  const callSid = newCallSid();
  await publishEnded(callSid);
  await storeCall(callSid);
  const early = await callctl(['erase', callSid, '--business', 'biz_1', '--wait', '1']);
  expect(early).toMatchObject({ code: 1, out: expect.stringContaining('extractor has not worked the command') });
  expect(await asOperator((operator) => operator.lastMark('call.ended', 'biz_1', callSid))).not.toBeNull();

  const store = await openStore('extractor');
  await createCallLogWriter(store).erase({ callSid, businessId: 'biz_1', revision: 1 }, never);
  await store.close();
  const done = await callctl(['erase', callSid, '--business', 'biz_1', '--without-recordings', '--json']);
  expect(JSON.parse(done.out)).toMatchObject({ erased: true, messages: 1, bodies: 1, attempts: 0 });
  expect(await asOperator((operator) => operator.lastMark('call.ended', 'biz_1', callSid))).toBeNull();
  expect((await callctl(['show', callSid])).out).toContain(`msg_${callSid}_completed to biz_1: cancelled`);

  await publishEnded(callSid, `${callSid}:gateway:r1:replay1`);
  const sweep = await run(['sweep', '--json'], { environment: environmentOf('eraser') });
  expect(sweep).toMatchObject({ code: 0 });
  expect(sweep.out.split('\n'), 'one line for the log of a schedule').toHaveLength(1);
  expect(JSON.parse(sweep.out)).toMatchObject({ event: 'swept', again: { messages: 1, bodies: 0 }, isWhole: true });
  const again = await run(['sweep'], { environment: environmentOf('eraser') });
  expect(again.out).toContain('erased calls purged again: 0 messages, 0 webhook bodies');
  expect(await run(['sweep', '--limit', '0'], { environment: environmentOf('eraser') })).toMatchObject({ code: 2 });
});

test('erase of a call under the name of another business is refused, stored or on its way', async () => {
  await run(['provision'], { environment: environmentOf('provision') });
  const [stored, waiting] = [newCallSid(), newCallSid()];
  await storeCall(stored);
  await publishEnded(waiting);
  for (const callSid of [stored, waiting]) {
    const refused = await callctl(['erase', callSid, '--business', 'biz_2']);
    expect(refused).toMatchObject({ code: 1, error: expect.stringContaining('is of business biz_1, not of biz_2') });
    expect(await asOperator((operator) => operator.lastMark('call.erase', 'biz_2', callSid))).toBeNull();
  }
});

test('servers that are not there are waited for with progress, then told with what to do', async () => {
  const nowhere = { ...environmentOf('callctl'), MONGO_URL: 'mongodb://127.0.0.1:9/?directConnection=true' };
  const shown = await run(['settings', 'get', 'biz_1'], { environment: nowhere });
  expect(shown).toMatchObject({ code: 1, error: expect.stringContaining('Check MONGO_URL') });
  const waited = await run(['provision', '--wait', '1'], { environment: { ...nowhere, NATS_USER: 'provision' } });
  expect(waited.code).toBe(1);
  expect(waited.error).toContain('waiting for MongoDB at mongodb://127.0.0.1:9');
  expect(waited.error).toContain('--wait <seconds>');
  const noNats = await run(['erase', newCallSid(), '--business', 'biz_1'], {
    environment: { ...environmentOf('callctl'), NATS_URL: 'nats://127.0.0.1:9' },
  });
  expect(noNats).toMatchObject({ code: 1, error: expect.stringContaining('no NATS at nats://127.0.0.1:9') });
});

test('the program itself ends with the exit code of its verb', async () => {
  const main = resolve(import.meta.dirname, 'main.ts');
  const execute = promisify(execFile);
  const { stdout } = await execute(process.execPath, [main, 'settings', 'get', 'biz_1', '--json'], {
    env: environmentOf('callctl'),
  });
  expect(JSON.parse(stdout)).toMatchObject({ id: 'biz_1' });
  await expect(
    execute(process.execPath, [main, 'settings', 'get', 'biz_none'], { env: environmentOf('callctl') }),
  ).rejects.toMatchObject({ code: 1 });
  await expect(execute(process.execPath, [main, 'nonsense'], { env: {} })).rejects.toMatchObject({ code: 2 });
  const missing = execute(process.execPath, [main, 'settings', 'validate', '/not/there.json'], { env: {} });
  await expect(missing).rejects.toMatchObject({ code: 1, stderr: 'callctl: cannot read /not/there.json (ENOENT)\n' });
});

function callctl(args: readonly string[], file?: unknown): Promise<Run> {
  return run(args, { environment: environmentOf('callctl'), files: { 'a.json': JSON.stringify(file) } });
}

function environmentOf(identity: (typeof USED)[number]): Environment & NodeJS.ProcessEnv {
  return {
    MONGO_URL: mongo.url,
    MONGO_USER: identity,
    MONGO_PASSWORD: password,
    NATS_URL: nats.url,
    NATS_USER: identity,
    NATS_PASSWORD: password,
    STREAM_REPLICAS: '1',
    STREAM_MAX_BYTES: '1048576',
    SETTINGS_KEYS: `k1:${key}`,
  };
}

function rolesOf(identity: Identity): Record<string, 'read' | 'readWrite' | 'dbAdmin'> {
  const roles: Partial<Record<Database, 'read' | 'readWrite' | 'dbAdmin'>> = DATABASE_ROLES[identity];
  return { ...roles };
}

function openStore(identity: 'extractor' | 'webhook-dispatcher') {
  return connectStore({ config: parseConfig(storeSchema, environmentOf(identity)), instance: 'test', logger });
}

async function asOperator<T>(work: (operator: Operator) => Promise<T>): Promise<T> {
  const config = parseConfig(brokerSchema, environmentOf('callctl'));
  const operator = await connectOperator({ config, identity: 'callctl', instance: 'test', logger });
  try {
    return await work(operator);
  } finally {
    await operator.close();
  }
}

/** A call that no stage has worked yet. */
async function publishEnded(callSid: string, messageId = `${callSid}:gateway:r1`): Promise<void> {
  const at = '2025-12-09T10:30:00.000Z';
  const call = { from: null, to: null, direction: 'inbound', startedAt: at, endedAt: at, durationSec: 0 } as const;
  const analysis = { language: 'he', keywords: [], summary: { maxSentences: 3, tone: 'neutral' } };
  const event = {
    type: 'call.ended',
    version: 1,
    id: `${callSid}:gateway:r1`,
    occurredAt: at,
    businessId: 'biz_1',
    callSid,
    revision: 1,
    data: { call: { ...call, endedReason: 'completed', source: 'gateway' }, analysis, liveTranscript: [] },
  } as const;
  await asOperator((operator) =>
    operator.publish({ ...event, data: { ...event.data, analysis, liveTranscript: [] } }, { messageId }),
  );
}

/** A call as extractor and webhook-dispatcher leave it. */
async function storeCall(callSid: string): Promise<void> {
  const extractor = await openStore('extractor');
  await createCallLogWriter(extractor).store(callLogOf(callSid), never);
  await extractor.close();
  const dispatcher = await openStore('webhook-dispatcher');
  const row = { webhookId: `msg_${callSid}_completed`, endpointId: 'biz_1', businessId: 'biz_1', callSid, revision: 1 };
  const deliveries = createDeliveryStore(dispatcher);
  await deliveries.freeze(
    { ...row, eventType: 'call.completed', body: Buffer.from('{}') },
    { kind: 'send', lease: { owner: 'test', leaseMs: 60_000 }, limits: DEFAULT_LIMITS },
    never,
  );
  await dispatcher.close();
}

function settingsOf(id: string, phones: readonly string[]): object {
  return {
    id,
    name: 'Test',
    phone_numbers: phones,
    agent: { instructions: 'Help.', greeting: 'שלום' },
    inbound_webhook_url: 'https://hooks.example/in?token=canary',
    webhook_secrets: [SECRET],
  };
}

function newCallSid(): string {
  return `CA${randomBytes(16).toString('hex')}`;
}
