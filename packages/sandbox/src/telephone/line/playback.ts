import { FRAME_BYTES } from './audio.ts';

/** Ten minutes of audio that has not played yet. Nobody speaks that far ahead. */
const MAX_BUFFERED_BYTES = 10 * 60 * 8_000;
/** More marks than any gateway has under way. */
const MAX_MARKS = 10_000;

/**
 * The telephone's outbound buffer: audio and marks in the order in which they came, played in playback time.
 *
 * Invariants: a mark comes out when all audio before it has played, or at once by `clear`; every mark comes out exactly once
 * unless the call ends before.
 */
export type Playback = {
  /** Adds audio of any length. False, and nothing is added, when the buffer is full. */
  media(bytes: Buffer): boolean;
  /** Adds a mark. False when there are too many. */
  mark(name: string): boolean;
  /** Empties the buffer and returns the marks that had not come out. */
  clear(): string[];
  /** Plays into `frame` from `at`; returns where it stopped (the frame's length unless the buffer ran empty) and the marks passed. */
  play(frame: Buffer, at: number): { readonly at: number; readonly marks: string[] };
  /** Audio that has not played yet. */
  readonly bufferedBytes: number;
  /** When audio came last, in the time of `now`; long ago when it was cleared since. */
  readonly cameAt: number;
};

/** An empty {@link Playback}; `now` is monotonic milliseconds on the wall. */
export function createPlayback(now: () => number): Playback {
  let queue: (Buffer | string)[] = [];
  let bufferedBytes = 0;
  let marks = 0;
  let cameAt = Number.NEGATIVE_INFINITY;

  const passMarks = (passed: string[]): void => {
    for (let head = queue[0]; typeof head === 'string'; head = queue[0]) {
      passed.push(head);
      queue.shift();
      marks -= 1;
    }
  };

  return {
    media: (bytes) => {
      if (bufferedBytes + bytes.length > MAX_BUFFERED_BYTES) return false;
      if (bytes.length > 0) queue.push(bytes);
      cameAt = now();
      bufferedBytes += bytes.length;
      return true;
    },
    mark: (name) => {
      if (marks >= MAX_MARKS) return false;
      queue.push(name);
      marks += 1;
      return true;
    },
    clear: () => {
      const flushed = queue.filter((entry) => typeof entry === 'string');
      queue = [];
      bufferedBytes = 0;
      marks = 0;
      cameAt = Number.NEGATIVE_INFINITY;
      return flushed;
    },
    play: (frame, from) => {
      let at = from;
      const passed: string[] = [];
      passMarks(passed);
      for (let head = queue[0]; head instanceof Buffer && at < FRAME_BYTES; head = queue[0]) {
        const taken = head.copy(frame, at, 0, FRAME_BYTES - at);
        at += taken;
        bufferedBytes -= taken;
        if (taken === head.length) queue.shift();
        else queue[0] = head.subarray(taken);
        passMarks(passed);
      }
      return { at, marks: passed };
    },
    get bufferedBytes() {
      return bufferedBytes;
    },
    get cameAt() {
      return cameAt;
    },
  };
}
