import { connectBroker, provisionBroker, type Broker, type BrokerConfig } from '@pipeline/messaging';
import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BusinessRoom, type BusinessRecord } from './business-room.ts';
import { createPresence, type Presence } from './presence.ts';
import { openSharedBuckets } from './shared-buckets.ts';
import { silentLogger } from './testing/examples.ts';

/** The places of a business in the bucket of a real broker, with as many as are counted exactly. */

const MAX = 1_000;
const PROCESSES = 4;

let server: RunningNats;
const brokers: Broker[] = [];
const presences: Presence[] = [];
const rooms: BusinessRoom[] = [];
beforeAll(async () => {
  server = await startNats({ users: [{ user: 'test', password: 'test-password' }] });
  const config: BrokerConfig = {
    NATS_URL: server.url,
    NATS_USER: 'test',
    NATS_PASSWORD: 'test-password',
    STREAM_REPLICAS: 1,
    STREAM_MAX_BYTES: 67_108_864,
    STREAM_MAX_AGE_HOURS: 72,
    MAX_ACK_PENDING: 1_000,
    ACK_WAIT_MS: 60_000,
  };
  await provisionBroker({ config, identity: 'provision', instance: 'test', logger: silentLogger });
  for (let index = 0; index < PROCESSES; index += 1) {
    const who = { config, identity: 'media-gateway', instance: `test/${index}`, logger: silentLogger } as const;
    brokers.push(await connectBroker({ ...who, onClosed: () => undefined }));
    rooms.push(roomOf(brokers[index]!));
  }
});
afterAll(async () => {
  for (const presence of presences) presence.stop();
  await Promise.all(brokers.map((broker) => broker.close()));
  await server.stop();
});

/** The room of one process, which would let everybody in if it were to count for itself. */
function roomOf(broker: Broker): BusinessRoom {
  const { businesses, processes } = openSharedBuckets(broker);
  const describeIt = () => ({ instance: 'test', calls: 0 });
  const presence = createPresence({ processes, describe: describeIt, logger: silentLogger });
  presences.push(presence);
  presence.start();
  return new BusinessRoom({
    businesses,
    directory: { look: async () => ({ kind: 'away' }) },
    presence,
    countBefore: () => 0,
    longestCallMs: 3_600_000,
    logger: silentLogger,
  });
}

const sid = (index: number): string => `CA${String(index).padStart(32, '0')}`;
const places = async (): Promise<BusinessRecord['calls']> =>
  (await openSharedBuckets(brokers[0]!).businesses.get('business.biz_1'))?.value.calls ?? {};

describe(`max_concurrent_calls of ${MAX} over ${PROCESSES} processes at a real broker`, () => {
  it('is never passed and always reached when 200 calls ring at once for the last 100 places', async () => {
    const now = Math.floor(Date.now() / 1_000);
    const calls = Object.fromEntries(Array.from({ length: MAX - 100 }, (_, index) => [sid(index), now]));
    await openSharedBuckets(brokers[0]!).businesses.put('business.biz_1', { calls });
    const late = Array.from({ length: 200 }, (_, index) => sid(MAX + index));
    const taken = await Promise.all(late.map((callSid, at) => rooms[at % PROCESSES]!.take('biz_1', callSid, MAX)));
    const inside = late.filter((_callSid, at) => taken[at]);
    expect(inside).toHaveLength(100);
    expect(Object.keys(await places()).toSorted()).toEqual([...Object.keys(calls), ...inside].toSorted());

    // Whatever process they end in, each gives back one place.
    inside.forEach((callSid, at) => rooms[(at + 1) % PROCESSES]!.release('biz_1', callSid));
    await expect.poll(async () => Object.keys(await places()).length, { timeout: 20_000 }).toBe(MAX - 100);
    expect(await rooms[0]!.take('biz_1', sid(9_999), MAX)).toBe(true);
  });
});
