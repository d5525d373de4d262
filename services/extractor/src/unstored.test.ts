import { expect, test } from 'vitest';
import type { Extraction } from './extract-fields.ts';
import { createUnstored } from './unstored.ts';

const extraction = (ms: number): Extraction => ({ fields: [], usage: {}, ms, isSuspected: false });

test('keeps an extraction until it is forgotten', async () => {
  const { remember, forget } = createUnstored(2);
  expect(await remember('a', async () => extraction(1))).toEqual(extraction(1));
  expect(await remember('a', async () => extraction(2))).toEqual(extraction(1));
  forget('a');
  expect(await remember('a', async () => extraction(3))).toEqual(extraction(3));
});

test('keeps nothing of an extraction that failed', async () => {
  const { remember } = createUnstored(2);
  await expect(remember('a', () => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
  expect(await remember('a', async () => extraction(1))).toEqual(extraction(1));
});

test('holds no more than its limit and gives up the one that was not asked for the longest', async () => {
  const { remember } = createUnstored(2);
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
