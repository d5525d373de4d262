import { afterEach, describe, expect, it, vi } from 'vitest';
import { RunningCall, type MediaStream } from './running-call.ts';
import { CALL_SID, createFakeBroker, createPuppetAgent, plan, silentLogger } from './testing/examples.ts';
import { createTestDirectory } from './testing/directory.ts';
import { createMemoryBucket } from './testing/memory-bucket.ts';

const deadStream: MediaStream = { play: () => undefined, clear: () => undefined, close: () => undefined };
const HOUR_MS = 3_600_000;
const rightNow = Date.now.bind(Date);
const setClock = (wrongBy: number): void => void vi.spyOn(Date, 'now').mockImplementation(() => rightNow() + wrongBy);

const stops: (() => void)[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  stops.splice(0).forEach((stop) => stop());
});

describe('a clock that is wrong', () => {
  it.each([
    ['B96: set forward by an hour during a call changes no duration', HOUR_MS],
    ['B96: set back by an hour during a call changes no duration', -HOUR_MS],
  ])('%s', async (_name, jump) => {
    const broker = createFakeBroker();
    const ignore = (): void => undefined;
    const { startedAt: _startedAt, ...answered } = plan;
    const before = rightNow();
    const call = new RunningCall(answered, {
      agent: createPuppetAgent(),
      publish: async (event) => (await broker.send(event), 'stored'),
      onOver: ignore,
      onHandedOver: ignore,
      onElsewhere: ignore,
      logger: silentLogger,
    });
    call.open(deadStream);
    setClock(jump);
    const openedAt = performance.now();
    await expect.poll(() => performance.now() - openedAt).toBeGreaterThan(50);
    call.receive({ kind: 'media_stopped' });
    await call.settled;
    const { startedAt, endedAt, durationSec } = broker.events[0]!.data.call;
    const [start, end] = [Date.parse(startedAt), Date.parse(endedAt)];
    expect(start).toBeGreaterThanOrEqual(before - 1);
    expect(end - start).toBeGreaterThanOrEqual(49);
    expect(end - start).toBeLessThan(60_000);
    expect(durationSec).toBeLessThan(60);
  });

  it.each([
    ['B96: ten minutes ahead of the process that answered, opens the media stream all the same', 599_000, true],
    ['B96: ten minutes behind it, opens the media stream all the same', -599_000, true],
    ['B96: further ahead than clocks may differ, refuses the token', 660_000, false],
  ])('%s', async (_name, ahead, isOpened) => {
    const bucket = createMemoryBucket();
    const answering = createTestDirectory({ bucket });
    const other = createTestDirectory({ bucket, now: () => rightNow() + ahead });
    stops.push(answering.presence.stop, other.presence.stop);
    const token = await answering.directory.register(plan);
    expect((await other.directory.openStream(CALL_SID, token ?? '')) !== null).toBe(isOpened);
  });
});
