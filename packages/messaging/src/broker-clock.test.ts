import { expect, test } from 'vitest';
import { createBrokerClock } from './broker-clock.ts';

const TOLD = '2025-12-09T10:30:00.25Z';
const TOLD_MS = Date.parse(TOLD);

test('B96 the time of the broker goes on evenly, however this machine sets its own clock', () => {
  let local = TOLD_MS + 3_600_000;
  let elapsed = 40;
  const clock = createBrokerClock(
    () => local,
    () => elapsed,
  );
  expect(clock.now(), 'nothing was told yet').toBe(local);
  clock.note(TOLD);
  expect(clock.now()).toBe(TOLD_MS);
  for (const jump of [-7_200_000, 3_600_000, -86_400_000]) {
    local += jump;
    elapsed += 1_000;
    clock.note('no time');
    clock.note(undefined);
  }
  expect(clock.now()).toBe(TOLD_MS + 3_000);
});

test('what the broker tells later counts from then on', () => {
  let elapsed = 0;
  const clock = createBrokerClock(
    () => 0,
    () => elapsed,
  );
  clock.note(TOLD);
  elapsed = 30_000;
  clock.note('2025-12-09T10:30:31.25Z');
  expect(clock.now()).toBe(TOLD_MS + 31_000);
});
