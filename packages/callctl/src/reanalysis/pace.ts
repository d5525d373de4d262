import { setTimeout as sleep } from 'node:timers/promises';

/** Lets one through at a time, `perSecond` a second at most, in order of asking. Rejects when the signal aborts. */
export type Pace = (signal: AbortSignal) => Promise<void>;

/** A pace from now on. `now` in milliseconds of a clock that never runs backwards. */
export function createPace(
  perSecond: number,
  now: () => number = () => performance.now(),
  wait: (ms: number, signal: AbortSignal) => Promise<unknown> = (ms, signal) => sleep(ms, undefined, { signal }),
): Pace {
  const stepMs = 1_000 / perSecond;
  let nextAt = now();
  return async (signal) => {
    const at = Math.max(nextAt, now());
    nextAt = at + stepMs;
    const ms = at - now();
    if (ms > 0) await wait(ms, signal);
    signal.throwIfAborted();
  };
}
