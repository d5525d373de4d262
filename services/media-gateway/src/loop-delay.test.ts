import { expect, it } from 'vitest';
import { createDelayGate, watchLoopDelay } from './loop-delay.ts';

const answers = (maxMs: number, delays: readonly number[]): boolean[] => {
  const gate = createDelayGate(maxMs);
  return delays.map((p99Ms) => {
    gate.note(p99Ms);
    return gate.readiness().ok;
  });
};

it('a loop that is late for three seconds is unready, and ready again after three seconds in time', () => {
  const [late, fine] = [200, 5];
  expect(answers(150, [late, late, late, late, fine, fine, fine, fine])).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
    true,
    true,
  ]);
});

it('one bad second, or several apart, change nothing', () => {
  expect(answers(150, [200, 200, 5, 200, 200, 5, 200])).not.toContain(false);
});

it('a real loop that is blocked shows it, and one that rests shows nothing', async () => {
  const loop = watchLoopDelay(200);
  try {
    await expect
      .poll(
        () => {
          const until = performance.now() + 400;
          while (performance.now() < until);
          return loop.readiness().ok;
        },
        { timeout: 20_000, interval: 1 },
      )
      .toBe(false);
    expect(loop.p99Ms()).toBeGreaterThan(200);
    await expect.poll(() => loop.readiness().ok, { timeout: 20_000, interval: 100 }).toBe(true);
  } finally {
    loop.stop();
  }
});
