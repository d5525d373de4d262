import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAudioClock, type AudioClock, type FrameResult } from './clock.ts';

let wall: { ms: number };
let clock: AudioClock;
beforeEach(() => {
  wall = { ms: 0 };
  clock = createAudioClock(() => wall.ms);
});
afterEach(() => clock.close());

/** Runs frames on the clock and counts them. */
function count(speed: number, result: (made: number) => FrameResult = () => 'made') {
  const counted = { frames: 0, stop: () => {} };
  counted.stop = clock.run(speed, () => {
    const decided = result(counted.frames + 1);
    if (decided !== 'held') counted.frames += 1;
    return decided;
  });
  return counted;
}

test('frames come at their time, and a late clock makes up for all of them', async () => {
  const counted = count(1);
  wall.ms = 100;
  await expect.poll(() => counted.frames).toBe(6);
  wall.ms = 2_100;
  await expect.poll(() => counted.frames).toBe(106);
});

test('speed scales the clock, and each call has its own', async () => {
  const slow = count(1);
  const fast = count(20);
  wall.ms = 1_000;
  await expect.poll(() => [slow.frames, fast.frames]).toEqual([51, 1_001]);
});

test('a stopped call makes no frames while others go on', async () => {
  const stopped = count(1);
  const other = count(1);
  wall.ms = 100;
  await expect.poll(() => stopped.frames).toBe(6);
  stopped.stop();
  wall.ms = 2_000;
  await expect.poll(() => other.frames).toBe(101);
  expect(stopped.frames).toBe(6);
});

test('a clock that is held stands still: nothing is made up for afterwards', async () => {
  let isHeld = true;
  const held = count(1, () => (isHeld ? 'held' : 'made'));
  const witness = count(1);
  for (let frame = 1; frame <= 10; frame += 1) {
    wall.ms += 200;
    await expect.poll(() => witness.frames).toBe(frame * 10 + 1);
  }
  isHeld = false;
  wall.ms += 200;
  await expect.poll(() => witness.frames).toBe(111);
  await expect.poll(() => held.frames).toBeGreaterThan(0);
  expect(held.frames).toBeLessThanOrEqual(11);
});

test('a call whose audio is over makes no more frames', async () => {
  const over = count(1, (made) => (made === 3 ? 'over' : 'made'));
  const witness = count(1);
  wall.ms = 1_000;
  await expect.poll(() => witness.frames).toBe(51);
  expect(over.frames).toBe(3);
});

test('calls whose frames take long still come in turn', async () => {
  const slow = Array.from({ length: 5 }, () =>
    count(1, () => {
      wall.ms += 10;
      return 'made';
    }),
  );
  const quick = count(1);
  wall.ms = 20;
  await expect.poll(() => quick.frames).toBeGreaterThan(3);
  const frames = slow.map((one) => one.frames);
  expect(Math.max(...frames) - Math.min(...frames)).toBeLessThanOrEqual(10);
});
