import { randomBytes } from 'node:crypto';
import { IDENTITIES, reconcilerMarkSchema, type CallExtracted } from '@pipeline/contracts';
import { brokerPermissions, connectOperator, provisionBroker, type Operator } from '@pipeline/messaging';
import { createLogger } from '@pipeline/runtime';
import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { afterAll, beforeAll, beforeEach, afterEach, expect, test, vi } from 'vitest';
import { callEnded } from '../ended-call.ts';
import { business, endedCall, NOW } from '../fixtures.ts';
import { createBrokerSide } from './broker.ts';

const never = new AbortController().signal;
const logger = createLogger({ level: 'error', bindings: { service: 'test' } });
let server: RunningNats;
let operator: Operator;

beforeAll(async () => {
  const permissions = brokerPermissions();
  const users = IDENTITIES.map((user) => ({ user, password: 'a-password', permissions: permissions[user] }));
  server = await startNats({ users });
});
afterAll(() => server.stop());
beforeEach(async () => {
  operator = await connectOperator(who('reconciler'));
});
afterEach(() => operator.close());

function who(identity: 'reconciler' | 'provision') {
  const config = {
    NATS_URL: server.url,
    NATS_USER: identity,
    NATS_PASSWORD: 'a-password',
    STREAM_REPLICAS: 1,
    STREAM_MAX_BYTES: 16 * 1_048_576,
    STREAM_MAX_AGE_HOURS: 72,
    MAX_ACK_PENDING: 1_000,
    ACK_WAIT_MS: 60_000,
  };
  return { config, identity, instance: `${identity}/1`, logger };
}

const newCall = () => endedCall({ callSid: `CA${randomBytes(16).toString('hex')}` });

test('before anything is provisioned it fails: a store that is missing is not an empty one', async () => {
  const side = createBrokerSide(operator, () => undefined);
  await expect(side.readMark()).rejects.toThrow('stream not found');
  await expect(side.hasEvent('biz_1', newCall().callSid)).rejects.toThrow('503');
  await expect(side.settledUpTo()).rejects.toThrow('stream not found');
  expect((await provisionBroker(who('provision'))).ok).toBe(true);
});

test("with reconciler's own rights: an event that is published is there, once however often, and the crash point passes", async () => {
  let passed = 0;
  const side = createBrokerSide(operator, () => void (passed += 1));
  const call = newCall();
  const event = callEnded(call, business());
  expect(await side.hasEvent('biz_1', call.callSid)).toBe(false);
  await Promise.all([side.publish(event, never), side.publish(event, never)]);
  expect(await side.hasEvent('biz_1', call.callSid)).toBe(true);
  expect(await side.hasEvent('biz_2', call.callSid), 'its number changed hands meanwhile').toBe(true);
  expect(await side.hasEvent('biz_1', newCall().callSid)).toBe(false);
  expect(passed).toBe(2);
  expect((await operator.lastMark('call.ended', 'biz_1', call.callSid))?.seq).toBe(1);
});

test('a notice is repeated only under another id; what was published is told with revision, place and time', async () => {
  const side = createBrokerSide(operator, () => undefined);
  const { callSid } = newCall();
  const notice: CallExtracted = {
    type: 'call.extracted',
    version: 1,
    id: `${callSid}:extractor:r1`,
    occurredAt: new Date(NOW).toISOString(),
    businessId: 'biz_1',
    callSid,
    revision: 1,
    data: { notify: true },
  };
  expect(await side.lastNotice('biz_1', callSid)).toBeNull();
  await side.publishNotice(notice, null, never);
  await side.publishNotice(notice, null, never);
  const first = await side.lastNotice('biz_1', callSid);
  expect(first).toMatchObject({ seq: 1, revision: 1 });
  expect(Math.abs((first?.storedAt ?? 0) - Date.now())).toBeLessThan(60_000);
  await side.publishNotice(notice, `${notice.id}:replay1`, never);
  expect((await side.lastNotice('biz_1', callSid))?.seq).toBe(2);
  expect(await side.settledUpTo(), 'webhook-dispatcher has settled nothing').toBe(0);
});

test("the time of day is the broker's own, with reconciler's own rights", async () => {
  const clock = vi.spyOn(Date, 'now').mockReturnValue(0);
  const told = await createBrokerSide(operator, () => undefined).time();
  clock.mockRestore();
  expect(Math.abs(told - Date.now())).toBeLessThan(60_000);
});

test('a watermark that an operator has set while a run goes on stands: the run writes no more', async () => {
  const marks = operator.openBucket({ bucket: 'RECONCILER', schema: reconcilerMarkSchema, deadlineMs: 5_000 });
  for (const before of [null, { endedAt: '2025-12-09T08:00:00.000Z' }]) {
    await marks.delete('watermark');
    if (before !== null) await marks.put('watermark', before);
    const running = createBrokerSide(operator, () => undefined);
    await running.readMark();
    await marks.put('watermark', { endedAt: '2025-12-01T00:00:00.000Z' });
    for (let page = 0; page < 2; page += 1) await running.writeMark({ watermark: NOW, sweep: null });
    const next = createBrokerSide(operator, () => undefined);
    expect(await next.readMark()).toEqual({ watermark: Date.parse('2025-12-01T00:00:00Z'), sweep: null });
    await next.writeMark({ watermark: NOW, sweep: null });
    expect(await running.readMark()).toEqual({ watermark: NOW, sweep: null });
  }
  await marks.delete('watermark');
});

test('the watermark is kept to the millisecond, and how far a sweep has come beside it', async () => {
  const side = createBrokerSide(operator, () => undefined);
  expect(await side.readMark()).toBeNull();
  const sweep = { since: NOW - 9_001, begun: NOW - 1, oldestOpen: NOW - 5_003, next: '/Calls.json?Page=1' };
  for (const mark of [
    { watermark: NOW + 123, sweep },
    { watermark: NOW + 123, sweep: { ...sweep, oldestOpen: null } },
    { watermark: NOW + 124, sweep: null },
  ]) {
    await side.writeMark(mark);
    expect(await side.readMark()).toEqual(mark);
  }
});
