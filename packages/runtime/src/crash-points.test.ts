import { expect, test } from 'vitest';
import { createCrashPoints } from './crash-points.ts';

test('a crash point kills at its n-th passing, once, and no other point does', () => {
  let kills = 0;
  const crashPoint = createCrashPoints('tr.before_ack:2', () => (kills += 1));
  crashPoint('tr.after_llm');
  crashPoint('tr.before_ack');
  expect(kills).toBe(0);
  crashPoint('tr.before_ack');
  expect(kills).toBe(1);
  crashPoint('tr.before_ack');
  expect(kills).toBe(1);
});

test('without CRASH_AT nothing kills', () => {
  let kills = 0;
  const crashPoint = createCrashPoints(undefined, () => (kills += 1));
  crashPoint('tr.before_ack');
  expect(kills).toBe(0);
});
