import { afterEach, describe, expect, it } from 'vitest';
import { BusinessRoom } from './business-room.ts';
import { pause } from './pause.ts';
import { silentLogger } from './testing/examples.ts';
import { createTestDirectory } from './testing/directory.ts';
import { createMemoryBucket, type MemoryBucket } from './testing/memory-bucket.ts';

const stops: (() => void)[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop()));

const LONGEST_MS = 3_600_000;

/** The room of one process. */
function roomOf(
  bucket: MemoryBucket,
  { countHere = 0, now = Date.now }: { countHere?: number; now?: () => number } = {},
) {
  const { directory, presence } = createTestDirectory({ bucket });
  stops.push(presence.stop);
  const room = new BusinessRoom({
    businesses: bucket.shared.businesses,
    directory,
    presence,
    countBefore: () => countHere,
    longestCallMs: LONGEST_MS,
    logger: silentLogger,
    now,
  });
  return { room, directory, presence };
}

const sid = (index: number): string => `CA${String(index).padStart(32, '0')}`;

describe('the calls of a business', () => {
  it('are never more than its limit, however many processes answer at once', async () => {
    const bucket = createMemoryBucket({ turn: () => new Promise((resolve) => setImmediate(resolve)) });
    const rooms = [roomOf(bucket), roomOf(bucket), roomOf(bucket)];
    const taken = await Promise.all(
      Array.from({ length: 12 }, (_, index) => rooms[index % 3]!.room.take('biz_1', sid(index), 5)),
    );
    expect(taken.filter(Boolean)).toHaveLength(5);
  });

  it("are never more than its limit at forty processes that get in each other's way", async () => {
    const bucket = createMemoryBucket({ turn: () => pause(3) });
    const rooms = Array.from({ length: 40 }, () => roomOf(bucket));
    const taken = await Promise.all(rooms.map(({ room }, index) => room.take('biz_1', sid(index), 35)));
    expect(taken.filter(Boolean)).toHaveLength(35);
    expect(Object.keys(JSON.parse(bucket.entries.get('business.biz_1')?.json ?? '{}').calls)).toHaveLength(35);
  });

  it('are counted once each, and make room when they are over, in whichever process', async () => {
    const bucket = createMemoryBucket();
    const [a, b] = [roomOf(bucket).room, roomOf(bucket).room];
    expect([await a.take('biz_1', sid(1), 1), await b.take('biz_1', sid(1), 1)]).toEqual([true, true]);
    expect([await b.take('biz_1', sid(2), 1), await b.take('biz_2', sid(2), 1)]).toEqual([false, true]);
    b.release('biz_1', sid(1));
    await expect.poll(() => a.take('biz_1', sid(2), 1)).toBe(true);
  });

  it('that nobody gave back make room when they are known to be over, and after the longest call', async () => {
    let now = 1_000_000;
    const bucket = createMemoryBucket();
    const { room, directory } = roomOf(bucket, { now: () => now });
    expect(await room.take('biz_1', sid(1), 1)).toBe(true);
    expect(await room.take('biz_1', sid(2), 1)).toBe(false);
    await directory.markPublished(sid(1));
    now += 10_000;
    expect(await room.take('biz_1', sid(2), 1)).toBe(true);
    now += LONGEST_MS + 1_000;
    expect(await room.take('biz_1', sid(3), 1)).toBe(true);
  });

  it('are counted by each process for itself while the bucket is away, and given back when it is there again', async () => {
    const bucket = createMemoryBucket();
    const { room } = roomOf(bucket);
    expect(await room.take('biz_1', sid(1), 1)).toBe(true);
    bucket.isAway = true;
    expect(await room.take('biz_1', sid(2), 1)).toBe(true);
    expect(await roomOf(bucket, { countHere: 1 }).room.take('biz_1', sid(2), 1)).toBe(false);
    room.release('biz_1', sid(1));
    room.release('biz_1', sid(2));
    bucket.isAway = false;
    await expect.poll(() => bucket.entries.get('business.biz_1')?.json).toBe('{"calls":{}}');
  });

  it('that were answered while the bucket was away are counted by all processes when it is there again', async () => {
    const bucket = createMemoryBucket();
    const [a, b] = [roomOf(bucket).room, roomOf(bucket).room];
    bucket.isAway = true;
    expect([await a.take('biz_1', sid(1), 2), await a.take('biz_1', sid(2), 2)]).toEqual([true, true]);
    a.release('biz_1', sid(2));
    bucket.isAway = false;
    await expect
      .poll(() => Object.keys(JSON.parse(bucket.entries.get('business.biz_1')?.json ?? '{"calls":{}}').calls))
      .toEqual([sid(1)]);
    expect([await b.take('biz_1', sid(3), 2), await b.take('biz_1', sid(4), 2)]).toEqual([true, false]);
  });

  it('are given back although the place of another call before them never can be', async () => {
    const bucket = createMemoryBucket();
    const { room, presence } = roomOf(bucket);
    expect(await room.take('biz_1', sid(1), 1)).toBe(true);
    bucket.entries.set('business.biz_0', { json: 'not readable', revision: 1_000 });
    bucket.isAway = true;
    await expect.poll(presence.isHeard).toBe(false);
    room.release('biz_0', sid(0));
    room.release('biz_1', sid(1));
    bucket.isAway = false;
    await expect.poll(() => bucket.entries.get('business.biz_1')?.json).toBe('{"calls":{}}');
  });

  it('are asked for once when the bucket hangs, not one after another', async () => {
    const hanging: (() => void)[] = [];
    const bucket: MemoryBucket = createMemoryBucket({
      turn: () => (bucket.isAway ? new Promise((go) => void hanging.push(go)) : Promise.resolve()),
    });
    let asked = 0;
    const { get } = bucket.shared.businesses;
    const businesses = { ...bucket.shared.businesses, get: (key: string) => ((asked += 1), get(key)) };
    const { room, presence } = roomOf({ ...bucket, shared: { ...bucket.shared, businesses } });
    bucket.isAway = true;
    const taking = Array.from({ length: 10 }, (_, index) => room.take('biz_1', sid(index), 10));
    await expect.poll(() => hanging.length).toBe(2); // the first of them, and the beat
    const [ofCall, ofBeat] = hanging.splice(0);
    ofBeat?.();
    await expect.poll(presence.isHeard).toBe(false);
    ofCall?.();
    expect(await Promise.all(taking)).toEqual(taking.map(() => true));
    expect(asked).toBe(1);
  });

  it('above a thousand are counted by each process for itself', async () => {
    const bucket = createMemoryBucket();
    expect(await roomOf(bucket, { countHere: 1_999 }).room.take('biz_1', sid(1), 2_000)).toBe(true);
    expect(await roomOf(bucket, { countHere: 2_000 }).room.take('biz_1', sid(1), 2_000)).toBe(false);
    expect(bucket.entries.has('business.biz_1')).toBe(false);
  });
});
