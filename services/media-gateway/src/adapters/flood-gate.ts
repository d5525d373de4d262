/** Audio that may come in one go: what a network held back while it stalled. */
const BURST_MS = 30_000;
/** What a frame counts at least, so that frames without audio are no way around the limit. */
const MIN_FRAME_MS = 10;
/** The clock is asked once in so much audio, because at every frame it would be a good part of the frame's price. */
const STEP_MS = 200;

/** Says whether a media stream may send another frame of so many milliseconds of audio. */
export type FloodGate = { admits(ms: number): boolean };

/**
 * A bucket that fills with the clock on the wall: real audio comes at 1 times real time, a flood does not. Never more comes through
 * than {@link BURST_MS} and `maxSpeed` times the time. `now` in milliseconds of a clock that never runs backwards.
 */
export function createFloodGate(maxSpeed: number, now: () => number = () => performance.now()): FloodGate {
  let left = BURST_MS - STEP_MS;
  let at = now();
  let sinceLook = 0;
  return {
    admits: (ms) => {
      sinceLook += Math.max(ms, MIN_FRAME_MS);
      if (sinceLook < STEP_MS) return true;
      const moment = now();
      left = Math.min(BURST_MS - STEP_MS, left + (moment - at) * maxSpeed) - sinceLook;
      at = moment;
      sinceLook = 0;
      return left >= 0;
    },
  };
}
