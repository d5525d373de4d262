import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { audioMs } from './mulaw.ts';
import { createSilenceKeeper } from './silence-keeper.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Talks for so long, a frame every 20 ms. */
function talk(keeper: ReturnType<typeof createSilenceKeeper>, ms: number): void {
  for (let at = 0; at < ms; at += 20) {
    keeper.heard(20);
    vi.advanceTimersByTime(20);
  }
}

describe('a gap in the middle of words', () => {
  it('of 750 ms is filled with 1 s of silence, once', () => {
    const appended: string[] = [];
    const keeper = createSilenceKeeper(750, (payload) => appended.push(payload));
    keeper.speechStarted();
    talk(keeper, 1_000);
    vi.advanceTimersByTime(700);
    expect(appended).toEqual([]);
    vi.advanceTimersByTime(60_000);
    expect(appended.map(audioMs)).toEqual([1_000]);
    expect(new Set(Buffer.from(appended.join(''), 'base64'))).toEqual(new Set([0xff]));
    keeper.stop();
  });

  it('is filled again after more words, and no gap is filled where nobody speaks', () => {
    let count = 0;
    const keeper = createSilenceKeeper(750, () => (count += 1));
    vi.advanceTimersByTime(10_000);
    expect(count).toBe(0);
    keeper.speechStarted();
    for (const expected of [1, 2]) {
      talk(keeper, 200);
      vi.advanceTimersByTime(2_000);
      expect(count).toBe(expected);
    }
    keeper.speechStopped();
    talk(keeper, 200);
    vi.advanceTimersByTime(10_000);
    expect(count).toBe(2);
  });

  it('does not shift the times of what is said after it', () => {
    const keeper = createSilenceKeeper(750, () => undefined);
    keeper.speechStarted();
    talk(keeper, 1_000);
    vi.advanceTimersByTime(2_000);
    talk(keeper, 1_000);
    vi.advanceTimersByTime(2_000);
    // On the session's clock the silences lie at 1,000 to 2,000 and at 3,000 to 4,000.
    expect([500, 1_000, 1_500, 2_000, 2_500, 3_000, 4_000, 4_700].map(keeper.toCallerMs)).toEqual([
      500, 1_000, 1_000, 1_000, 1_500, 2_000, 2_000, 2_700,
    ]);
    keeper.stop();
  });

  it('keeps its count over more gaps than it remembers', () => {
    const keeper = createSilenceKeeper(300, () => undefined);
    keeper.speechStarted();
    for (let gap = 0; gap < 300; gap += 1) {
      talk(keeper, 20);
      vi.advanceTimersByTime(500);
    }
    expect(keeper.toCallerMs(300 * 1_020)).toBe(6_000);
    keeper.stop();
  });
});
