import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Readiness } from '@pipeline/runtime';

export type LoopDelay = {
  /** The 99th percentile of the last second, in ms: how late a frame may have been. */
  p99Ms(): number;
  readiness(): Readiness;
  stop(): void;
};

const SAMPLE_MS = 10;
const WINDOW_MS = 1_000;
/** Seconds in a row that change the answer: one garbage collection does not take a process out of service. */
const WINDOWS = 3;

/**
 * How late this process does its work. A process that is too late for three seconds gets no new calls, so that those it has are
 * carried in time; after three seconds in time it gets some again.
 */
export function watchLoopDelay(maxMs: number): LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: SAMPLE_MS });
  histogram.enable();
  const gate = createDelayGate(maxMs);
  let p99Ms = 0;
  const timer = setInterval(() => {
    // The histogram counts from the start of the sampling interval, so an idle process shows that interval itself.
    p99Ms = Math.max(0, histogram.percentile(99) / 1e6 - SAMPLE_MS);
    histogram.reset();
    gate.note(p99Ms);
  }, WINDOW_MS).unref();
  return {
    p99Ms: () => p99Ms,
    readiness: gate.readiness,
    stop: () => {
      clearInterval(timer);
      histogram.disable();
    },
  };
}

/** The rule of it: as many windows in a row as it takes to change the answer, either way. */
export function createDelayGate(maxMs: number): { note(p99Ms: number): void; readiness(): Readiness } {
  let isLate = false;
  let against = 0;
  let last = 0;
  return {
    note: (p99Ms) => {
      last = p99Ms;
      against = p99Ms > maxMs === isLate ? 0 : against + 1;
      if (against < WINDOWS) return;
      isLate = !isLate;
      against = 0;
    },
    readiness: () =>
      isLate
        ? { ok: false, reason: `the event loop is ${Math.round(last)} ms late, MAX_LOOP_DELAY_MS is ${maxMs}` }
        : { ok: true },
  };
}
