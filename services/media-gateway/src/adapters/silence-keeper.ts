import { audioMs, silenceOf } from './mulaw.ts';

/**
 * A telephone network may send nothing where nothing is said, and an agent that hears nothing never notices that the caller has
 * stopped. So where the caller's audio stops in the middle of words, the session is given silence, which ends the turn.
 *
 * Invariants: at most one silence is given until the caller is heard again; times of the session's clock, which counts that
 * silence too, are turned back into times of the caller's audio.
 */
export type SilenceKeeper = {
  /** So much of the caller's audio was appended. */
  heard(ms: number): void;
  /** The session says that the caller speaks, or has stopped. */
  speechStarted(): void;
  speechStopped(): void;
  /** Milliseconds of the session's clock in milliseconds of the caller's audio. */
  toCallerMs(sessionMs: number): number;
  /** Nothing is given any more. */
  stop(): void;
};

const SILENCE = silenceOf(1_000);
const SILENCE_MS = audioMs(SILENCE);
/** So many looks without audio make a gap: a process that was held up looks late, but not often. */
const LOOKS = 4;
/** Silences whose place is kept; the oldest are taken to lie before everything that is still asked for. */
const MAX_KEPT = 256;

/** `append` gives base64 audio to the session; `afterMs` is how long nothing may come. */
export function createSilenceKeeper(afterMs: number, append: (payload: string) => void): SilenceKeeper {
  /** Where silences were given, in milliseconds of the session's clock. */
  let given: number[] = [];
  let forgotten = 0;
  let heardMs = 0;
  let quietLooks = 0;
  let timer: NodeJS.Timeout | undefined;

  const look = (): void => {
    quietLooks += 1;
    if (quietLooks !== LOOKS) return;
    given.push(heardMs + (forgotten + given.length) * SILENCE_MS);
    if (given.length > MAX_KEPT) forgotten += 1;
    given = given.slice(-MAX_KEPT);
    append(SILENCE);
  };
  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
  };

  return {
    heard: (ms) => {
      heardMs += ms;
      quietLooks = 0;
    },
    speechStarted: () => {
      quietLooks = 0;
      timer ??= setInterval(look, afterMs / (LOOKS - 1));
    },
    speechStopped: stop,
    toCallerMs: (sessionMs) => {
      const within = given.reduce((sum, at) => sum + Math.max(0, Math.min(SILENCE_MS, sessionMs - at)), 0);
      return Math.max(0, sessionMs - within - forgotten * SILENCE_MS);
    },
    stop,
  };
}
