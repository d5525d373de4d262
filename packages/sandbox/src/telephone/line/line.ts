import { FRAME_BYTES, SILENCE_BYTE, SILENT_FRAME } from './audio.ts';
import type { Caller } from './caller.ts';
import type { Playback } from './playback.ts';
import type { Recording } from './recording.ts';

/**
 * In a fast call the clock stands still for at most so long (on the wall) when the agent's words break off half-way: the rest is
 * under way. At 20 times real time a trip through the sockets of a busy machine would else be a gap of seconds in the middle of a
 * word. Words that `clear` cut are not waited for.
 */
const HOLD_MS = 3_000;

/** What one frame of call time brought. */
export type Turn =
  | { readonly kind: 'held' }
  | { readonly kind: 'hang_up' }
  /** `caller` goes to the gateway; `marks` were passed. */
  | { readonly kind: 'frame'; readonly caller: Buffer; readonly marks: readonly string[] };

/** The two ends of one call's audio in call time, 20 ms a turn. */
export type Line = {
  /** The next 20 ms. With `isListening` the caller only listens (the telephone itself speaks). */
  next(isListening?: boolean): Turn;
  /** Everything that was to be heard has played. */
  readonly isDrained: boolean;
  /** Frames made so far. */
  readonly frames: number;
};

export type LineParts = {
  readonly playback: Playback;
  readonly caller: Caller;
  /** Called at every frame; null while nothing is recorded. */
  readonly recording: () => Recording | null;
  readonly speed: number;
  readonly now: () => number;
};

/** Joins the parts of a call's audio. */
export function createLine(parts: LineParts): Line {
  const { playback, caller, now } = parts;
  const frame = Buffer.alloc(FRAME_BYTES);
  let filled = 0;
  let frames = 0;
  let marks: string[] = [];

  const mayHold = (): boolean => parts.speed > 1 && caller.isHearingWords && now() - playback.cameAt < HOLD_MS;

  return {
    next: (isListening = false) => {
      const played = playback.play(frame, filled);
      caller.hear(frame.subarray(filled, played.at));
      filled = played.at;
      marks.push(...played.marks);
      if (filled < FRAME_BYTES) {
        if (mayHold()) return { kind: 'held' };
        frame.fill(SILENCE_BYTE, filled);
        caller.hear(frame.subarray(filled));
      }
      filled = 0;
      const spoken = isListening ? SILENT_FRAME : caller.speak(playback.bufferedBytes === 0);
      if (spoken === 'hang_up') return { kind: 'hang_up' };
      parts.recording()?.add(spoken, frame);
      frames += 1;
      const passed = marks;
      marks = [];
      return { kind: 'frame', caller: spoken, marks: passed };
    },
    get isDrained() {
      return playback.bufferedBytes === 0 && filled === 0;
    },
    get frames() {
      return frames;
    },
  };
}
