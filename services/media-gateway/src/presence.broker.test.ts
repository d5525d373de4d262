import { provisionBroker, BrokerError, connectOperator, type BrokerConfig, type Operator } from '@pipeline/messaging';
import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { GATEWAY_BUCKET } from '@pipeline/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createBucketRoom } from './bucket-room.ts';
import { SharedDirectory } from './call-directory-shared.ts';
import { createPresence, type Presence } from './presence.ts';
import { openSharedBuckets } from './shared-buckets.ts';
import { listeningLogger, plan, silentLogger, type LogLine } from './testing/examples.ts';

const sidOf = (index: number): string => `CA${String(index).padStart(32, '0')}`;
const LATE = Array.from({ length: 20 }, (_, index) => sidOf(index + 1));
const MAX_BYTES = 2 * 1_048_576;

let server: RunningNats;
let operator: Operator;
const stops: (() => void)[] = [];
beforeEach(async () => {
  server = await startNats();
  const config: BrokerConfig = {
    NATS_URL: server.url,
    NATS_USER: 'any',
    NATS_PASSWORD: 'any-password',
    STREAM_REPLICAS: 1,
    STREAM_MAX_BYTES: MAX_BYTES,
    STREAM_MAX_AGE_HOURS: 72,
    MAX_ACK_PENDING: 1_000,
    ACK_WAIT_MS: 60_000,
  };
  const who = { config, instance: 'media-gateway/test', logger: silentLogger };
  await provisionBroker({ ...who, identity: 'provision' });
  operator = await connectOperator({ ...who, identity: 'callctl' });
});
afterEach(async () => {
  stops.splice(0).forEach((stop) => stop());
  await operator.close();
  await server.stop();
});

/** The bucket as a later version of the gateway, or an operator, writes it. */
const anything = () => operator.openBucket({ bucket: GATEWAY_BUCKET, schema: z.unknown(), deadlineMs: 5_000 });

/** A gateway whose beats do not reach the broker until they may. `heard`: what it held to be so when each beat began. */
async function unheardGateway() {
  const { records, processes } = openSharedBuckets(operator);
  const heard: boolean[] = [];
  const lines: LogLine[] = [];
  let isAway = true;
  const presence: Presence = createPresence({
    processes: {
      ...processes,
      put: (key, value) => {
        heard.push(presence.isHeard());
        return isAway ? Promise.reject(new BrokerError('away')) : processes.put(key, value);
      },
    },
    // More calls are more digits: a beat may need more room than the one before.
    describe: () => ({ instance: 'media-gateway/test', calls: 10 ** Math.min(15, heard.length) }),
    logger: silentLogger,
    beatMs: 20,
  });
  stops.push(presence.stop);
  const directory = new SharedDirectory({ records, presence, tokenTtlMs: 60_000, logger: listeningLogger(lines) });
  presence.start();
  await expect.poll(presence.isHeard).toBe(false);
  const letBeatsThrough = (): void => {
    isAway = false;
    heard.length = 0;
  };
  return { directory, presence, heard, lines, letBeatsThrough };
}

/** Fills the bucket of the calls with values of that size, as long as one has room; the key of the last. */
async function fill(size: number): Promise<string> {
  for (let index = 0; ; index += 1) {
    const key = `fill.${size}-${index}`;
    const isWritten = await anything()
      .put(key, 'x'.repeat(size))
      .then(Boolean, () => false);
    if (!isWritten) return `fill.${size}-${index - 1}`;
  }
}

const stored = async (callSids: readonly string[]): Promise<unknown[]> =>
  Promise.all(callSids.map(async (callSid) => (await anything().get(`call.${callSid}`))?.value));

describe('a record that can never be written', () => {
  it('because a newer version has written it, blocks no other, and the beats are heard', async () => {
    const key = `call.${sidOf(0)}`;
    await anything().put(key, { state: 'parked', since: 1 });
    const { directory, presence, heard, lines, letBeatsThrough } = await unheardGateway();
    for (const callSid of [sidOf(0), ...LATE]) await directory.markPublished(callSid);
    letBeatsThrough();
    await expect.poll(() => stored(LATE), { timeout: 10_000 }).toEqual(LATE.map(() => ({ state: 'published' })));
    await expect.poll(() => heard.length, { timeout: 10_000 }).toBeGreaterThan(10);
    expect(heard.slice(1), 'every beat since the first that got through').not.toContain(false);
    expect(presence.readiness()).toEqual({ ok: true });
    expect(
      lines.map(({ fields }) => fields['callSid']),
      'told once',
    ).toEqual([sidOf(0)]);

    await anything().delete(key);
    await expect.poll(() => stored([sidOf(0)]), { timeout: 10_000 }).toEqual([{ state: 'published' }]);
  });

  it('because the bucket is full, blocks none that has room, and the beats are heard', async () => {
    await fill(200_000);
    const last = await fill(10_000);
    await anything().delete(last); // ten thousand bytes are free, and less than twenty

    const { directory, heard, lines, letBeatsThrough } = await unheardGateway();
    const large = { ...plan, callSid: sidOf(99), agent: { ...plan.agent, instructions: 'x'.repeat(30_000) } };
    expect(await directory.register(large)).not.toBeNull();
    for (const callSid of LATE.slice(0, 5)) await directory.markPublished(callSid);
    letBeatsThrough();
    await expect.poll(() => lines.length, { timeout: 10_000 }).toBe(1);
    expect(lines[0]?.fields).toMatchObject({
      callSid: sidOf(99),
      err: { message: expect.stringContaining('maximum bytes') },
    });
    await expect
      .poll(() => stored(LATE.slice(0, 5)), { timeout: 10_000 })
      .toEqual(LATE.slice(0, 5).map(() => ({ state: 'published' })));
    await expect.poll(() => heard.length, { timeout: 10_000 }).toBeGreaterThan(10);
    expect(heard.slice(1)).not.toContain(false);
  });
});

describe('a bucket in which no byte is free', () => {
  it('silences no gateway: its beats are heard, and the ends of its calls are written', async () => {
    const { directory, presence, heard, letBeatsThrough } = await unheardGateway();
    letBeatsThrough();
    await expect.poll(presence.isHeard).toBe(true);
    const token = await directory.register({ ...plan, callSid: sidOf(1) });
    expect(await directory.openStream(sidOf(1), token ?? '')).not.toBeNull();
    for (const size of [200_000, 10_000, 500, 20, 1]) await fill(size);
    heard.length = 0;
    const before = await presence.beatOf(presence.id);
    await expect.poll(() => heard.length, { timeout: 10_000 }).toBeGreaterThan(10);
    expect(heard).not.toContain(false);
    expect(await presence.beatOf(presence.id), 'what siblings read').toBeGreaterThan(before);
    await directory.markPublished(sidOf(1), 'drain');
    expect(await stored([sidOf(1)])).toEqual([{ state: 'published', endedReason: 'drain' }]);
  });

  it('is never reached: new calls are refused before, until there is room again', async () => {
    const { records } = openSharedBuckets(operator);
    const { presence, letBeatsThrough } = await unheardGateway();
    const room = createBucketRoom({ records, presence, logger: silentLogger });
    const last = await fill(200_000);
    letBeatsThrough();
    await expect.poll(room.hasRoom, { timeout: 10_000 }).toBe(false);
    expect(room.filled()).toBeGreaterThan(0.9);
    await anything().delete(last);
    await expect.poll(room.hasRoom, { timeout: 10_000 }).toBe(true);
    await server.stop();
    await expect.poll(presence.isHeard, { timeout: 10_000 }).toBe(false);
    expect(room.hasRoom(), 'a bucket that is away keeps no caller out').toBe(true);
  });
});
