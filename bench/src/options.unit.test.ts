import { expect, test } from 'vitest';
import { OptionError, readOptions } from './options.ts';

const NUMBERS = {
  calls: { min: 1, max: 10, default: 3 },
  drop: { min: 0, max: 1, default: 0, isShare: true },
} as const;
const read = (...args: readonly string[]) => readOptions(args, NUMBERS, ['profile']);

test('options that are not given have their defaults', () => {
  expect(read()).toEqual({ json: false, help: false, numbers: { calls: 3, drop: 0 }, texts: {} });
});

test('options that are given are taken', () => {
  const options = read('--calls', '10', '--drop', '0.25', '--profile', '/tmp/x', '--json');
  expect(options).toEqual({
    json: true,
    help: false,
    numbers: { calls: 10, drop: 0.25 },
    texts: { profile: '/tmp/x' },
  });
});

test.each([
  [['--calls', '11'], '--calls takes a whole number from 1 to 10'],
  [['--calls', '1.5'], '--calls takes a whole number from 1 to 10'],
  [['--calls', 'many'], '--calls takes a whole number from 1 to 10'],
  [['--calls', ' '], '--calls takes a whole number from 1 to 10'],
  [['--drop', '1.1'], '--drop takes a number from 0 to 1'],
  [['--cals', '3'], "'--cals'"],
  [['300'], "'300'"],
])('%j is refused in a sentence that names it', (args, sentence) => {
  expect(() => read(...args)).toThrow(OptionError);
  expect(() => read(...args)).toThrow(sentence);
});
