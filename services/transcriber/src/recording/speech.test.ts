import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SILENCE_DBFS, SLICE_MS } from './loudness.ts';
import { findSpeech } from './speech.ts';

/** Loudness of slices: pairs of how loud, and for how many milliseconds. */
function loudness(...parts: readonly (readonly [dbfs: number, ms: number])[]): Float32Array {
  return Float32Array.from(parts.flatMap(([level, ms]) => Array.from({ length: ms / SLICE_MS }, () => level)));
}

/** The parts that are speech whatever the noise of the line. */
function loudParts(parts: readonly (readonly [dbfs: number, slices: number])[]) {
  let endMs = 0;
  const timed = parts.map(([dbfs, slices]) => ({ dbfs, fromMs: endMs, toMs: (endMs += slices * SLICE_MS) }));
  return timed.filter(({ dbfs, fromMs, toMs }) => dbfs > -38 && toMs - fromMs >= 100);
}

function endsWithPause(pauseMs: number): number[] {
  return findSpeech(loudness([-20, 1_000], [SILENCE_DBFS, pauseMs], [-20, 1_000])).map(({ endMs }) => endMs);
}

describe('where somebody speaks', () => {
  test('is nowhere on a silent channel, nor in its hiss', () => {
    expect(findSpeech(new Float32Array(0))).toEqual([]);
    expect(findSpeech(loudness([SILENCE_DBFS, 10_000]))).toEqual([]);
    expect(findSpeech(loudness([-51, 10_000]))).toEqual([]);
    expect(findSpeech(loudness([-60, 5_000], [-52, 3_000], [-60, 5_000]))).toEqual([]);
  });

  test('is found above digital silence and above the noise of a line', () => {
    const expected = [{ startMs: 2_000, endMs: 3_000 }];
    expect(findSpeech(loudness([SILENCE_DBFS, 2_000], [-20, 1_000], [SILENCE_DBFS, 2_000]))).toEqual(expected);
    expect(findSpeech(loudness([-44, 2_000], [-25, 1_000], [-44, 2_000]))).toEqual(expected);
  });

  test('is the whole of a channel that never pauses: noise is learnt only from what may be noise', () => {
    expect(findSpeech(loudness([-20, 20_000]))).toEqual([{ startMs: 0, endMs: 20_000 }]);
  });

  test('is no click', () => {
    expect(findSpeech(loudness([SILENCE_DBFS, 1_000], [-10, 80], [SILENCE_DBFS, 1_000]))).toEqual([]);
  });

  test('goes on over a short pause and ends at a longer one', () => {
    expect([endsWithPause(580), endsWithPause(600)]).toEqual([[2_580], [1_000, 2_600]]);
  });

  test('is cut only when it is longer than a minute, and then where it is quietest', () => {
    const quiet = loudness([-20, 45_000], [-45, 20], [-20, 40_000]);
    expect(findSpeech(quiet)).toEqual([
      { startMs: 0, endMs: 45_000 },
      { startMs: 45_000, endMs: 85_020 },
    ]);
    expect(findSpeech(loudness([-20, 60_000]))).toHaveLength(1);
  });

  test('is in order, without overlap, and leaves out no sound of 100 ms that is loud enough', () => {
    const part = fc.tuple(fc.constantFrom(-120, -70, -49, -30, -15), fc.integer({ min: 1, max: 400 }));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
        const levels = loudness(...parts.map(([level, slices]) => [level, slices * SLICE_MS] as const));
        const found = findSpeech(levels);
        found.forEach(({ startMs, endMs }, index) => {
          expect(endMs).toBeGreaterThan(startMs);
          expect(endMs - startMs).toBeLessThanOrEqual(60_000);
          expect(startMs).toBeGreaterThanOrEqual(found[index - 1]?.endMs ?? 0);
        });
        for (const { fromMs, toMs } of loudParts(parts)) {
          const covered = found.map((s) => Math.max(0, Math.min(s.endMs, toMs) - Math.max(s.startMs, fromMs)));
          expect(covered.reduce((sum, ms) => sum + ms, 0)).toBe(toMs - fromMs);
        }
      }),
    );
  });
});
