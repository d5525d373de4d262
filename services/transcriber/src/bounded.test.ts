import { describe, expect, test } from 'vitest';
import { createLimiter, mapBounded } from './bounded.ts';

const never = new AbortController().signal;

/** Work that ends when it is told to. */
function gate() {
  const open: (() => void)[] = [];
  let running = 0;
  let most = 0;
  const pass = async (): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await new Promise<void>((resolve) => open.push(resolve));
    running -= 1;
  };
  return { pass, waiting: () => open.length, most: () => most, release: () => open.splice(0).forEach((go) => go()) };
}

async function drain(door: ReturnType<typeof gate>, done: () => boolean): Promise<void> {
  while (!done()) {
    door.release();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('bounded work', () => {
  test('keeps the order of its items and its bound', async () => {
    const door = gate();
    let isDone = false;
    const results = mapBounded([1, 2, 3, 4, 5], 2, async (item) => (await door.pass(), item * 10), never);
    void results.then(() => (isDone = true));
    await drain(door, () => isDone);
    expect(await results).toEqual([10, 20, 30, 40, 50]);
    expect(door.most()).toBe(2);
  });

  test('throws the first failure when what runs has ended, and begins nothing more', async () => {
    const door = gate();
    const ended: string[] = [];
    const failing = mapBounded(
      ['fails', 'is paid', 'never begins'],
      2,
      async (item) => {
        if (item === 'fails') throw new Error('first');
        await door.pass();
        ended.push(item);
      },
      never,
    );
    let isDone = false;
    const failure = failing.catch((error: unknown) => String(error)).finally(() => (isDone = true));
    await drain(door, () => isDone);
    expect(await failure).toContain('first');
    expect(ended).toEqual(['is paid']);
  });

  test('begins nothing after an abort', async () => {
    let begun = 0;
    const work = mapBounded([1, 2], 1, async () => void (begun += 1), AbortSignal.abort(new Error('stop')));
    await expect(work).rejects.toThrow('stop');
    expect(begun).toBe(0);
  });
});

describe('a limiter', () => {
  test('lets through as many as its limit, the others in order', async () => {
    const limit = createLimiter(2);
    const door = gate();
    const order: number[] = [];
    let left = 5;
    const all = Promise.all(
      [1, 2, 3, 4, 5].map((item) => limit(async () => (order.push(item), await door.pass(), (left -= 1)), never)),
    );
    await drain(door, () => left === 0);
    await all;
    expect(order).toEqual([1, 2, 3, 4, 5]);
    expect(door.most()).toBe(2);
  });

  test('forgets who gave up, and a failure frees its place', async () => {
    const limit = createLimiter(1);
    const door = gate();
    const first = limit(async () => {
      await door.pass();
      throw new Error('failed');
    }, never);
    const impatient = new AbortController();
    const second = limit(async () => 'second', impatient.signal);
    const third = limit(async () => 'third', never);
    impatient.abort(new Error('gave up'));
    await expect(second).rejects.toThrow('gave up');
    door.release();
    await expect(first).rejects.toThrow('failed');
    await expect(third).resolves.toBe('third');
  });
});
