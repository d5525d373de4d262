import { afterEach, expect, test, vi } from 'vitest';
import type { Extraction } from './extract-fields.ts';
import { createUnstored } from './unstored.ts';

const extraction = (ms: number): Extraction => ({ fields: [], usage: {}, ms, isSuspected: false });

const LIFETIME_MS = 60_000;
afterEach(() => void vi.useRealTimers());

test('keeps an extraction until it is forgotten', async () => {
  const { remember, forget } = createUnstored(2, LIFETIME_MS);
  expect(await remember('a', async () => extraction(1))).toEqual(extraction(1));
  expect(await remember('a', async () => extraction(2))).toEqual(extraction(1));
  forget('a');
  expect(await remember('a', async () => extraction(3))).toEqual(extraction(3));
});

test('keeps nothing of an extraction that failed', async () => {
  const { remember } = createUnstored(2, LIFETIME_MS);
  await expect(remember('a', () => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
  expect(await remember('a', async () => extraction(1))).toEqual(extraction(1));
});

test('holds no more than its limit and gives up the one that was not asked for the longest', async () => {
  const { remember } = createUnstored(2, LIFETIME_MS);
  for (const key of ['a', 'b', 'a', 'c']) await remember(key, async () => extraction(1));
  const made: string[] = [];
  for (const key of ['a', 'c', 'b']) {
    await remember(key, async () => {
      made.push(key);
      return extraction(2);
    });
  }
  expect(made).toEqual(['b']);
});

test('an extraction does not outlive the time in which its message may come again, whether another comes or not', async () => {
  vi.useFakeTimers();
  const { remember } = createUnstored(2, LIFETIME_MS);
  await remember('a', async () => extraction(1));
  vi.advanceTimersByTime(LIFETIME_MS - 1);
  expect(await remember('a', async () => extraction(2)), 'each question begins the time anew').toEqual(extraction(1));
  vi.advanceTimersByTime(LIFETIME_MS - 1);
  expect(await remember('a', async () => extraction(3))).toEqual(extraction(1));
  vi.advanceTimersByTime(LIFETIME_MS);
  expect(vi.getTimerCount()).toBe(0);
  expect(await remember('a', async () => extraction(4))).toEqual(extraction(4));
});
