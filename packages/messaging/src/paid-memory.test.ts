import { afterEach, expect, test, vi } from 'vitest';
import { createPaidMemory } from './paid-memory.ts';

const LIMITS = { maxBytes: 8_192, lifetimeMs: 60_000 };
const small = Buffer.from('words');
const quarter = Buffer.alloc(1_024);

afterEach(() => void vi.useRealTimers());

test('keeps the last body of a key until it is forgotten', () => {
  const memory = createPaidMemory(LIMITS);
  memory.keep('a', quarter);
  memory.keep('a', small);
  expect(memory.recall('a')).toBe(small);
  memory.forget('a');
  expect(memory.recall('a')).toBeUndefined();
});

test('holds no more bytes than its bound, whatever was kept and forgotten before, and gives up what was not asked for the longest', () => {
  const memory = createPaidMemory(LIMITS);
  for (let round = 0; round < 100; round += 1) {
    memory.keep('a', quarter);
    memory.keep('b', small);
    memory.forget('b');
  }
  for (const key of ['b', 'c', 'd']) memory.keep(key, quarter);
  memory.recall('a');
  memory.keep('e', quarter);
  expect(['a', 'b', 'c', 'd', 'e'].filter((key) => memory.recall(key) !== undefined)).toEqual(['a', 'c', 'd', 'e']);
});

test('one body above the bound is not kept and drives out no other', () => {
  const memory = createPaidMemory(LIMITS);
  memory.keep('a', small);
  memory.keep('b', Buffer.alloc(LIMITS.maxBytes));
  expect(memory.recall('b')).toBeUndefined();
  expect(memory.recall('a')).toBe(small);
});

test('words of a caller do not outlive the time in which their message may come again, whether another comes or not', () => {
  vi.useFakeTimers();
  const memory = createPaidMemory(LIMITS);
  memory.keep('a', small);
  vi.advanceTimersByTime(LIMITS.lifetimeMs - 1);
  expect(memory.recall('a'), 'each question begins the time anew').toBe(small);
  vi.advanceTimersByTime(LIMITS.lifetimeMs - 1);
  expect(memory.recall('a')).toBe(small);
  vi.advanceTimersByTime(LIMITS.lifetimeMs);
  expect(vi.getTimerCount()).toBe(0);
  expect(memory.recall('a')).toBeUndefined();
});
