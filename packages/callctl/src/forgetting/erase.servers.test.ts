import { createServer, type Server } from 'node:http';
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
// oxlint-disable-next-line no-restricted-imports -- the test stands for extractor, which puts the tombstone there
import { connectStore, createCallLogWriter, type CallLogWriter } from '@pipeline/call-store/call-log-writer';
import { withOperator } from '@pipeline/messaging';
import { parseConfig } from '@pipeline/runtime';
import { startMongo, startNats, type RunningMongo, type RunningNats } from '@pipeline/sandbox/servers';
import { bothSchema } from '../config.ts';
import { callLogOf } from '../fixtures/call-log.ts';
import { run } from '../fixtures/run.ts';
import { createProgressLogger } from '../progress-logger.ts';
import type { Environment } from '../verb.ts';

const logger = createProgressLogger(() => {});
const never = new AbortController().signal;
const ACCOUNT = `AC${'2'.repeat(32)}`;
const KEY = randomBytes(32).toString('base64');
const RECORDING = `RE${'a'.repeat(32)}`;
let mongo: RunningMongo;
let nats: RunningNats;
let twilio: Server;
/** What the list of recordings answers with. */
let listStatus: number;
let deleted: string[];
let callSid: string;

// The slowest of the servers, on a machine that does other things, takes ten times as long as mongod.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  [mongo, nats] = [await startMongo(), await startNats()];
  twilio = createServer((request, response) => {
    if (request.method === 'DELETE') deleted.push(request.url?.split('/').at(-1) ?? '');
    const status = request.method === 'DELETE' ? 204 : listStatus;
    const body = JSON.stringify({ recordings: deleted.length > 0 ? [] : [{ sid: RECORDING }] });
    response.writeHead(status, { connection: 'close' }).end(status === 200 ? body : '');
  });
  await new Promise<void>((resolve) => twilio.listen(0, '127.0.0.1', resolve));
  const { code, error } = await run(['provision'], { environment: environment() });
  if (code !== 0) throw new Error(error);
});
afterAll(async () => {
  twilio?.close();
  await mongo?.stop();
  await nats?.stop();
});
beforeEach(() => {
  [listStatus, deleted, callSid] = [200, [], `CA${randomBytes(16).toString('hex')}`];
});
afterEach(() => roomForCommands(1_048_576));

test('a command that is refused leaves the recordings where they are, and the operator is told of the full stream', async () => {
  await roomForCommands(100);
  const refused = await erase();
  expect(refused).toMatchObject({ code: 1, error: expect.stringContaining('CALL_COMMANDS is full') });
  expect(refused.error).toContain('callctl provision --trim');
  expect(deleted).toEqual([]);

  await roomForCommands(1_048_576);
  await tombstone();
  expect(JSON.parse((await erase()).out), 'repeated').toMatchObject({ erased: true, recordings: 1 });
});

test('while Twilio refuses, all else of the call is forgotten; it ends with 1, says what is left, and is repeated', async () => {
  listStatus = 503;
  await tombstone();
  const half = await erase();
  expect(half.code).toBe(1);
  expect(JSON.parse(half.out)).toMatchObject({ erased: true, recordings: null });
  expect((await erase('--wait', '0')).code, 'also when it is only asked for').toBe(1);
  const said = await run(['erase', callSid, '--business', 'biz_1'], { environment: environment() });
  expect(said.out).toContain('were NOT deleted: Twilio answered 503');

  listStatus = 200;
  const whole = await erase();
  expect(whole.code).toBe(0);
  expect(JSON.parse(whole.out)).toMatchObject({ erased: true, recordings: 1 });
  expect(deleted).toEqual([`${RECORDING}.json`]);
});

test('without an account the recordings stay and it ends with 1, unless the operator leaves them', async () => {
  await tombstone();
  const { TWILIO_ACCOUNT_SID: _account, ...homeless } = environment();
  const typed = ['erase', callSid, '--business', 'biz_1'];
  const half = await run(typed, { environment: homeless });
  expect(half).toMatchObject({ code: 1, out: expect.stringContaining('is erased') });
  expect(half.out).toContain('NOT deleted: set TWILIO_ACCOUNT_SID');
  expect((await run([...typed, '--wait', '0'], { environment: homeless })).code, 'also when only asked for').toBe(1);
  for (const given of [homeless, environment()]) {
    const left = await run([...typed, '--without-recordings', '--json'], { environment: given });
    expect(left.code).toBe(0);
    expect(JSON.parse(left.out)).toMatchObject({ erased: true, recordings: null });
  }
  expect(deleted).toEqual([]);
});

test('a sweep asks for nothing while the stream of commands is half full, and a request for erasure still fits', async () => {
  await storeOldCall();
  await asProvision(async ({ js }) => {
    for (let at = 0; at < 9; at += 1) await js.publish(`call.erase.biz_2.x${at}`, 'x'.repeat(60_000));
  });
  expect(await sweep()).toMatchObject({ commands: 'full', isWhole: false, retention: { due: 0, emptied: 0 } });
  await tombstone();
  expect((await erase()).code).toBe(0);

  await asProvision(({ jsm }) => jsm.streams.purge('CALL_COMMANDS'));
  expect(await sweep()).toMatchObject({ commands: 'room', isWhole: true, retention: { due: 1, emptied: 1 } });
});

function erase(...options: string[]) {
  return run(['erase', callSid, '--business', 'biz_1', '--json', ...options], { environment: environment() });
}

/** Puts the tombstone there, as extractor does. */
function tombstone(): Promise<void> {
  return asExtractor((writer) => writer.erase({ callSid, businessId: 'biz_1', revision: 1 }, never));
}

async function sweep(): Promise<unknown> {
  const { out } = await run(['sweep', '--json'], { environment: environment() });
  return JSON.parse(out);
}

/** A call past the retention of its business, with nothing else of it anywhere. */
async function storeOldCall(): Promise<void> {
  const phone = { phone_numbers: ['+97233334444'], agent: { instructions: 'Help.', greeting: 'שלום' } };
  const settings = JSON.stringify({ id: 'biz_1', name: 'Test', retention_days: 30, ...phone });
  const set = await run(['settings', 'set', 'a.json'], { environment: environment(), files: { 'a.json': settings } });
  expect(set).toMatchObject({ code: 0 });
  const endedAt = new Date(Date.now() - 31 * 86_400_000).toISOString();
  await asExtractor(({ store }) => store(callLogOf(`CA${'f'.repeat(32)}`, endedAt), never));
}

async function asExtractor(work: (writer: CallLogWriter) => Promise<unknown>): Promise<void> {
  const store = await connectStore({ config: parseConfig(bothSchema, environment()), instance: 'test', logger });
  await work(createCallLogWriter(store));
  await store.close();
}

async function asProvision(work: Parameters<typeof withOperator>[1]): Promise<void> {
  const config = parseConfig(bothSchema, environment());
  await withOperator({ config, identity: 'provision', instance: 'test', logger }, work);
}

async function roomForCommands(bytes: number): Promise<void> {
  await asProvision(({ jsm }) => jsm.streams.update('CALL_COMMANDS', { max_bytes: bytes }));
}

function environment(): Environment {
  const { port } = twilio.address() as AddressInfo; // Bound to a port, so it is an address and no pipe.
  return {
    MONGO_URL: mongo.url,
    MONGO_USER: mongo.root.user,
    MONGO_PASSWORD: mongo.root.password,
    SETTINGS_KEYS: `k1:${KEY}`,
    NATS_URL: nats.url,
    NATS_USER: 'test',
    NATS_PASSWORD: 'test-password',
    STREAM_REPLICAS: '1',
    STREAM_MAX_BYTES: '1048576',
    TWILIO_BASE_URL: `http://127.0.0.1:${port}`,
    TWILIO_ACCOUNT_SID: ACCOUNT,
    TWILIO_API_KEY_SID: `SK${'3'.repeat(32)}`,
    TWILIO_API_KEY_SECRET: 'a-secret-of-a-test-0123456789',
  };
}
