import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLatencies, mergeLatencies, summarizeLatencies } from './latencies.ts';

/** The nearest-rank percentile of the numbers themselves. */
const exact = (sorted: readonly number[], share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? 0;

test('percentiles are those of the numbers, at most 0.05 ms too long and never too short, however many processes counted', () => {
  const latencies = fc.array(fc.integer({ min: 0, max: 4_000_000 }), { minLength: 1, maxLength: 400 });
  fc.assert(
    fc.property(latencies, latencies, (one, other) => {
      const parts = [one, other].map((numbers) => {
        const recorder = createLatencies();
        for (const us of numbers) recorder.note(us);
        return recorder.read();
      });
      const summary = summarizeLatencies(mergeLatencies(parts));
      const sorted = [...one, ...other].toSorted((left, right) => left - right);
      expect(summary.count).toBe(sorted.length);
      expect(summary.maxMs).toBe(exact(sorted, 1) / 1_000);
      for (const [told, share] of [[summary.p50Ms, 0.5] as const, [summary.p99Ms, 0.99] as const]) {
        const aboveUs = (told ?? 0) * 1_000 - exact(sorted, share);
        expect(aboveUs).toBeGreaterThan(-0.001);
        expect(aboveUs).toBeLessThanOrEqual(50.001);
      }
    }),
    { numRuns: 50 },
  );
});

test('latencies beyond what is counted are told by the longest, not cut off', () => {
  const recorder = createLatencies();
  for (const us of [1_000, 9_000_000, 20_000_000]) recorder.note(us);
  expect(summarizeLatencies(recorder.read())).toEqual({ count: 3, p50Ms: 20_000, p99Ms: 20_000, maxMs: 20_000 });
});

test('nothing measured is told as nothing, not as zero', () => {
  expect(summarizeLatencies(mergeLatencies([]))).toEqual({ count: 0, p50Ms: null, p99Ms: null, maxMs: null });
});
