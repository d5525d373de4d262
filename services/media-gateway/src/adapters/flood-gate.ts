/** Audio that may come in one go: what a network held back while it stalled. */
const BURST_MS = 30_000;
/** What a frame counts at least, so that frames without audio are no way around the limit. */
const MIN_FRAME_MS = 10;

/** Says whether a media stream may send another frame of so many milliseconds of audio. */
export type FloodGate = { admits(ms: number): boolean };

/**
 * A bucket that fills with the clock on the wall: real audio comes at 1 times real time, a flood does not. `now` in milliseconds of
 * a clock that never runs backwards.
 */
export function createFloodGate(maxSpeed: number, now: () => number = () => performance.now()): FloodGate {
  let left = BURST_MS;
  let at = now();
  return {
    admits: (ms) => {
      const moment = now();
      left = Math.min(BURST_MS, left + (moment - at) * maxSpeed) - Math.max(ms, MIN_FRAME_MS);
      at = moment;
      return left >= 0;
    },
  };
}
