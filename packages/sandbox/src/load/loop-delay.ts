import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 2;
const NS_PER_MS = 1e6;

/** Watches how late this process's event loop is, from `begin` to `end`. */
export type LoopDelay = {
  begin(): void;
  end(): void;
  /** 99th percentile between the two. */
  readonly p99Ms: number;
};

/** Makes a {@link LoopDelay}. */
export function createLoopDelay(): LoopDelay {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  return {
    begin: () => {
      delay.reset();
      delay.enable();
    },
    end: () => void delay.disable(),
    get p99Ms() {
      // The histogram holds the time between two looks: the delay is what is above the resolution.
      return delay.count === 0 ? 0 : Math.max(0, delay.percentile(99) / NS_PER_MS - RESOLUTION_MS);
    },
  };
}
