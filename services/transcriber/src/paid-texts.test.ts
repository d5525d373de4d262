import { afterEach, expect, test, vi } from 'vitest';
import { createPaidTexts } from './paid-texts.ts';

const LIMITS = { maxCalls: 2, maxChars: 1_000, lifetimeMs: 60_000 };
const text = (words: string) => ({ text: words, language: null, usage: {} });

afterEach(() => void vi.useRealTimers());

test('a text that was paid for is not asked for again, as long as its call is among the last', async () => {
  const paid = createPaidTexts({ ...LIMITS, maxChars: 1_000 });
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
  const paid = createPaidTexts({ ...LIMITS, maxChars: 5 });
  await expect(paid.remember('one', 'a', () => Promise.reject(new Error('busy')))).rejects.toThrow('busy');
  let asked = 0;
  const long = () => paid.remember('one', 'a', async () => ((asked += 1), text('too long')));
  await long();
  await long();
  expect(asked).toBe(2);
});

test('words of a caller do not outlive the time in which their call may come again, whether another call comes or not', async () => {
  vi.useFakeTimers();
  const paid = createPaidTexts(LIMITS);
  let asked = 0;
  const remember = () => paid.remember('one', 'a', async () => ((asked += 1), text('words')));
  await remember();
  vi.advanceTimersByTime(59_999);
  await remember();
  vi.advanceTimersByTime(59_999);
  await remember();
  expect(asked, 'each question begins the time anew').toBe(1);
  vi.advanceTimersByTime(60_000);
  expect(vi.getTimerCount()).toBe(0);
  await remember();
  expect(asked).toBe(2);
});
