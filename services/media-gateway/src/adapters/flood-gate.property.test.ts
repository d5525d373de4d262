import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFloodGate } from './flood-gate.ts';

const SPEED = 2;
const pause = fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.nat(400));
const frame = fc.record({ afterMs: pause, ms: fc.nat(250) });

test('never more comes through than 30 s and twice the time, and a frame counts 10 ms at least (500 streams)', () => {
  let refused = 0;
  fc.assert(
    fc.property(fc.array(frame, { minLength: 300, maxLength: 500, size: 'max' }), (frames) => {
      let now = 0;
      let [through, tooMuch] = [0, 0];
      const gate = createFloodGate(SPEED, () => now);
      for (const { afterMs, ms } of frames) {
        now += afterMs;
        if (!gate.admits(ms)) {
          refused += 1;
          break;
        }
        through += Math.max(ms, 10);
        tooMuch = Math.max(tooMuch, through - 30_000 - SPEED * now);
      }
      expect(tooMuch).toBe(0);
    }),
    { numRuns: 500, examples: [[Array.from({ length: 2_000 }, () => ({ afterMs: 0, ms: 20 }))]] },
  );
  expect(refused).toBeGreaterThan(20);
});

test('what comes at twice real time at most is never refused, also after 29 s of silence in one go (100 streams)', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(200), { minLength: 100, maxLength: 300 }), (lengths) => {
      let [now, refused] = [0, 0];
      const gate = createFloodGate(SPEED, () => now);
      for (const ms of Array.from({ length: 20 }, () => lengths).flat()) {
        now += Math.max(ms, 10) / SPEED;
        refused += gate.admits(ms) ? 0 : 1;
      }
      now += 29_000;
      for (let sent = 0; sent < 29_000; sent += 20) refused += gate.admits(20) ? 0 : 1;
      expect(refused).toBe(0);
    }),
    { numRuns: 100 },
  );
});
