import { expect, test } from 'vitest';
import { createPaidTexts } from './paid-texts.ts';

const text = (words: string) => ({ text: words, language: null, usage: {} });

test('a text that was paid for is not asked for again, as long as its call is among the last', async () => {
  const paid = createPaidTexts(2, 1_000);
  const asked: string[] = [];
  const remember = (call: string, key: string) =>
    paid.remember(call, key, async () => (asked.push(`${call} ${key}`), text(key)));
  await remember('one', 'a');
  await remember('one', 'b');
  expect(await remember('one', 'a')).toEqual(text('a'));
  await remember('two', 'a');
  await remember('one', 'b');
  await remember('three', 'a');
  expect(asked).toEqual(['one a', 'one b', 'two a', 'three a']);
  await remember('one', 'a');
  await remember('two', 'a');
  expect(asked.slice(4)).toEqual(['two a']);
});

test('a failure is not kept, and neither is more of a call than the bound', async () => {
  const paid = createPaidTexts(2, 5);
  await expect(paid.remember('one', 'a', () => Promise.reject(new Error('busy')))).rejects.toThrow('busy');
  let asked = 0;
  const long = () => paid.remember('one', 'a', async () => ((asked += 1), text('too long')));
  await long();
  await long();
  expect(asked).toBe(2);
});
