import { createDemodulator } from '../../speech/demodulate.ts';

/** What the caller said between two silences. `stopMs` is where the silence was long enough to say so. */
export type CallerTurn = { readonly text: string; readonly stopMs: number };

export type CallerAudio = {
  /** Takes the caller's next samples; null for `silenceMs` means that nobody watches for turns. */
  push(samples: Int16Array, silenceMs: number | null): void;
  /** Ends the turn here: what was said since the last one. Null when less than 100 ms of audio came since. */
  commit(): CallerTurn | null;
  /** Forgets what was not yet committed. */
  clear(): void;
};

/** Samples that are looked at in one go, so that the size of what is appended does not change what is found. */
const STEP = 160;
const MIN_COMMIT_MS = 100;
/** Shorter than any silence that ends a turn, so that broken speech has ended by then. */
const DEMODULATOR_SILENCE_MS = 200;

/**
 * Listens to the caller and tells where turns begin and end. The clock is the appended audio, never the wall, so a call may run
 * at any speed. `onStart` gets where speech began; `onTurn` a turn that silence ended.
 */
export function createCallerAudio(report: {
  readonly onStart: (startMs: number) => void;
  readonly onTurn: (turn: CallerTurn) => void;
}): CallerAudio {
  const demodulator = createDemodulator({ silenceMs: DEMODULATOR_SILENCE_MS });
  let words: string[] = [];
  let isInTurn = false;
  let spokenUntilMs = 0;
  let committedMs = 0;

  const takeTurn = (stopMs: number): CallerTurn => {
    const text = words.join(' ').trim();
    words = [];
    isInTurn = false;
    committedMs = demodulator.positionMs;
    return { text, stopMs };
  };
  const start = (startMs: number): void => {
    if (isInTurn) return;
    isInTurn = true;
    report.onStart(startMs);
  };
  const step = (samples: Int16Array, silenceMs: number | null): void => {
    for (const utterance of demodulator.push(samples)) {
      if (silenceMs !== null) start(utterance.startMs);
      words.push(utterance.text);
      spokenUntilMs = utterance.endMs;
    }
    if (silenceMs === null) return;
    const since = demodulator.speakingSinceMs;
    if (since !== null) return start(since);
    if (isInTurn && demodulator.positionMs - spokenUntilMs >= silenceMs)
      report.onTurn(takeTurn(spokenUntilMs + silenceMs));
  };

  return {
    push: (samples, silenceMs) => {
      for (let at = 0; at < samples.length; at += STEP) step(samples.subarray(at, at + STEP), silenceMs);
    },
    commit: () => {
      if (demodulator.positionMs - committedMs < MIN_COMMIT_MS) return null;
      words.push(...demodulator.flush().map((utterance) => utterance.text));
      return takeTurn(demodulator.positionMs);
    },
    clear: () => {
      demodulator.flush();
      takeTurn(demodulator.positionMs);
    },
  };
}
