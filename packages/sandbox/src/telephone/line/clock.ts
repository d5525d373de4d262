import { FRAME_MS } from './audio.ts';

/** How often the clock looks what is due. */
const TICK_MS = 5;
/**
 * Frames of one call in a row, and milliseconds of all calls. After them sockets are read, so that a late clock starves neither
 * the answers that it waits for nor calls that are just being placed; then the calls that came off worst come first.
 */
const MAX_BATCH = 10;
const MAX_TICK_MS = 8;

/** What became of a frame: it was made, the call's clock stands still for now, or the call's audio is over. */
export type FrameResult = 'made' | 'held' | 'over';

/** The clock of all calls of a telephone: audio time, scaled, on a monotonic clock. */
export type AudioClock = {
  /** Calls `frame` once for every 20 ms of audio at `speed` (1 = real time). Late frames are made up for, never dropped. Returns a stop. */
  run(speed: number, frame: () => FrameResult): () => void;
  /** Stops all. */
  close(): void;
};

/** Makes an {@link AudioClock}; `now` is monotonic milliseconds. */
export function createAudioClock(now: () => number = () => performance.now()): AudioClock {
  const runners = new Set<Runner>();
  let timer: NodeJS.Timeout | undefined;
  let immediate: NodeJS.Immediate | undefined;

  const tick = (): void => {
    timer = undefined;
    immediate = undefined;
    const until = now() + MAX_TICK_MS;
    let isLate = false;
    for (const runner of Array.from(runners)) {
      if (runner.isOver) continue;
      if (now() > until) {
        isLate = true;
        break;
      }
      isLate = runFrames(runner, now) === 'late' || isLate;
      runners.delete(runner);
      if (!runner.isOver) runners.add(runner);
    }
    schedule(isLate);
  };
  const schedule = (isLate: boolean): void => {
    if (runners.size === 0 || timer !== undefined || immediate !== undefined) return;
    if (isLate) immediate = setImmediate(tick);
    else timer = setTimeout(tick, TICK_MS);
  };

  return {
    run: (speed, frame) => {
      const runner: Runner = { msPerFrame: FRAME_MS / speed, frame, nextAt: now(), isOver: false };
      runners.add(runner);
      schedule(false);
      return () => {
        runner.isOver = true;
        runners.delete(runner);
      };
    },
    close: () => {
      for (const runner of runners) runner.isOver = true;
      runners.clear();
      clearTimeout(timer);
      clearImmediate(immediate);
      timer = undefined;
      immediate = undefined;
    },
  };
}

/** `nextAt` is when the next frame is due. */
type Runner = { readonly msPerFrame: number; readonly frame: () => FrameResult; nextAt: number; isOver: boolean };

function runFrames(runner: Runner, now: () => number): 'on time' | 'late' {
  const at = now();
  for (let made = 0; runner.nextAt <= at; made += 1) {
    if (made === MAX_BATCH) return 'late';
    const result = runner.frame();
    if (runner.isOver) return 'on time';
    if (result === 'over') {
      runner.isOver = true;
      return 'on time';
    }
    if (result === 'held') {
      runner.nextAt = at + runner.msPerFrame;
      return 'on time';
    }
    runner.nextAt += runner.msPerFrame;
  }
  return 'on time';
}
