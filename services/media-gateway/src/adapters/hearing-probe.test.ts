import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createHearingProbe, type HearingProbe } from './hearing-probe.ts';

const AFTER_MS = 9_000;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A probe whose socket answers each ping at once, and a session that answers the first so many questions. */
function probing(options: { answers: number; hasPong?: () => boolean }) {
  const seen = { asked: 0, deaf: 0 };
  const probe: HearingProbe = createHearingProbe(
    AFTER_MS,
    () => {
      seen.asked += 1;
      if (options.hasPong?.() ?? true) probe.ponged();
      if (seen.asked > options.answers) return;
      probe.reported();
      probe.answered();
    },
    () => {
      seen.deaf += 1;
      probe.stop();
    },
  );
  return { probe, seen };
}

describe('a session that says nothing', () => {
  it('is asked, and asked again, as long as it answers', () => {
    const { probe, seen } = probing({ answers: 1_000 });
    vi.advanceTimersByTime(3_600_000);
    expect(seen.deaf).toBe(0);
    expect(seen.asked).toBe(600);
    probe.stop();
  });

  it('is deaf when it has answered before and its socket alone answers now, after the time for an answer and not before', () => {
    const { seen } = probing({ answers: 1 });
    // Asked at 3 s; quiet again at 6 s; asked in vain at 9 s.
    vi.advanceTimersByTime(9_000 + AFTER_MS - 1);
    expect(seen).toEqual({ asked: 2, deaf: 0 });
    vi.advanceTimersByTime(1);
    expect(seen).toEqual({ asked: 2, deaf: 1 });
  });

  it('is not blamed when it never answered such a question', () => {
    const { probe, seen } = probing({ answers: 0 });
    vi.advanceTimersByTime(3_600_000);
    expect(seen).toEqual({ asked: 1, deaf: 0 });
    probe.stop();
  });

  it('is not blamed for a network that brings no pong either', () => {
    let hasPong = true;
    const { probe, seen } = probing({ answers: 1, hasPong: () => hasPong });
    vi.advanceTimersByTime(3_000);
    hasPong = false;
    vi.advanceTimersByTime(3_600_000);
    expect(seen.deaf).toBe(0);
    probe.stop();
  });

  it('is not deaf when it says anything in time, and is asked anew after that', () => {
    const { probe, seen } = probing({ answers: 1 });
    vi.advanceTimersByTime(9_000 + AFTER_MS - 1);
    probe.reported();
    vi.advanceTimersByTime(1 + 3_000);
    expect(seen).toEqual({ asked: 3, deaf: 0 });
    probe.stop();
  });

  it('is asked nothing any more once it refused the question', () => {
    const { probe, seen } = probing({ answers: 1 });
    probe.refused();
    vi.advanceTimersByTime(3_600_000);
    expect(seen).toEqual({ asked: 0, deaf: 0 });
  });
});

it('a session that talks is asked once, at its beginning', () => {
  const { probe, seen } = probing({ answers: 0 });
  for (let at = 0; at < 600; at += 1) {
    probe.reported();
    vi.advanceTimersByTime(1_000);
  }
  expect(seen).toEqual({ asked: 1, deaf: 0 });
  probe.stop();
});
