import { provisionBroker, BrokerError, connectOperator, type BrokerConfig, type Operator } from '@pipeline/messaging';
import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { GATEWAY_BUCKET } from '@pipeline/contracts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
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
beforeAll(async () => void (server = await startNats()));
afterAll(() => server.stop());
beforeEach(async () => {
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
    describe: () => ({ instance: 'media-gateway/test', calls: 0 }),
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
    const bucket = anything();
    const fill = async (size: number): Promise<string> => {
      for (let index = 0; ; index += 1) {
        const key = `fill.${size}-${index}`;
        if (!(await bucket.put(key, 'x'.repeat(size)).then(Boolean, () => false))) return `fill.${size}-${index - 1}`;
      }
    };
    await fill(200_000);
    const last = await fill(10_000);
    await bucket.delete(last); // ten thousand bytes are free, and less than twenty

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
