import { createDemodulator } from '../../speech/demodulate.ts';
import { modulate } from '../../speech/modulate.ts';
import { mulawDecode, mulawEncode } from '../../speech/mulaw.ts';
import { FRAME_BYTES, FRAME_MS, framesOf, SILENCE_BYTE, SILENT_FRAME } from './audio.ts';
import { stepsOf, type CallScript, type Step } from './script.ts';

/**
 * The person at the telephone. Takes turns by ear alone: a turn begins when the agent's words were heard to their end and the
 * line is quiet. Whoever waits in vain goes on once, as people do ("hello?"), and hangs up the second time.
 */
export type Caller = {
  /** What comes out of the receiver, any number of mu-law bytes. */
  hear(bytes: Buffer): void;
  /** The next 20 ms of speech or silence, or the end of the call. `isQuiet`: nothing more is buffered to be heard. */
  speak(isQuiet: boolean): Buffer | 'hang_up';
  /** In the middle of the agent's words. */
  readonly isHearingWords: boolean;
  /** Texts of the agent's utterances; one that was cut or damaged ends with U+FFFD. */
  readonly heard: readonly string[];
  /** Texts said to their end. */
  readonly said: readonly string[];
  readonly problems: readonly string[];
};

/** How long a caller waits. All but `wallMs` are audio time. */
export const PATIENCE = {
  /** Between the end of the agent's words and the caller's own. */
  pauseMs: 500,
  /** For a first word. */
  nothingHeardMs: 15_000,
  /** After a sound that was no understandable word. */
  nothingUnderstoodMs: 5_000,
  /** In a fast call never less than this on the clock on the wall: the agent's thinking does not become faster. */
  nothingHeardWallMs: 10_000,
  nothingUnderstoodWallMs: 3_000,
  /** For an agent that talks without end, or that should hang up and does not. */
  endlessWordsMs: 120_000,
  hangUpMs: 30_000,
} as const;

/** A caller for one call; `now` is monotonic milliseconds on the wall. */
export function createCaller(script: CallScript, now: () => number): Caller {
  const steps = stepsOf(script);
  const said: string[] = [];
  const problems: string[] = [];
  const ear = createEar(problems);
  let misses = 0;
  let current = begun(steps.shift(), now());

  const next = (): void => {
    current = begun(steps.shift(), now());
  };
  const understood = (): void => {
    misses = 0;
    next();
  };
  const cutIn = (): void => {
    ear.expectCut();
    understood();
  };
  const missed = (what: string): void => {
    problems.push(`the caller ${what}`);
    misses += 1;
    if (misses > 1) current = begun({ kind: 'hang_up' }, now());
    else next();
  };

  return {
    hear: (bytes) => {
      if (bytes.length === 0) return;
      current.utterances += ear.take(bytes);
      if (ear.isHearingWords || !isSilent(bytes)) noteSound(current, bytes, now());
    },
    speak: (isQuiet) => {
      current.ms += FRAME_MS;
      current.quietMs = isQuiet && !ear.isHearingWords ? current.quietMs + FRAME_MS : 0;
      const { step } = current;
      if (step.kind === 'hang_up') return 'hang_up';
      if (step.kind === 'wait' && current.ms >= step.ms) next();
      if (step.kind === 'interrupt') interrupt(current, step.afterMs, now(), cutIn, missed);
      if (step.kind === 'listen') listen(current, step.utterances, now(), understood, missed);
      if (step.kind === 'await_hang_up' && tiredOf(current, PATIENCE.hangUpMs, PATIENCE.nothingHeardWallMs, now())) {
        problems.push('the caller hung up, because the agent did not');
        current = begun({ kind: 'hang_up' }, now());
      }
      if (step.kind !== 'speak') return SILENT_FRAME;
      const frame = current.words.shift();
      if (current.words.length === 0) {
        said.push(step.text);
        next();
      }
      return frame ?? SILENT_FRAME;
    },
    get isHearingWords() {
      return ear.isHearingWords;
    },
    heard: ear.heard,
    said,
    problems,
  };
}

type Ear = Pick<Caller, 'heard' | 'isHearingWords'> & {
  /** Returns how many utterances ended whole. */
  take(bytes: Buffer): number;
  /** The caller cuts in: one utterance ends broken, and that is no wonder. */
  expectCut(): void;
};

function createEar(problems: string[]): Ear {
  const demodulator = createDemodulator();
  const heard: string[] = [];
  let cuts = 0;
  return {
    heard,
    expectCut: () => void (cuts += 1),
    take: (bytes) => {
      let whole = 0;
      for (const { text, intact } of demodulator.push(mulawDecode(bytes))) {
        heard.push(text);
        if (intact) whole += 1;
        else if (cuts > 0) cuts -= 1;
        else problems.push('the caller heard broken words');
      }
      return whole;
    },
    get isHearingWords() {
      return demodulator.speakingSinceMs !== null;
    },
  };
}

/** The step that a caller is at, since when, and what was heard in it. */
type Progress = {
  readonly step: Step;
  /** Audio time in the step, and of the quiet that lasts until now. */
  ms: number;
  quietMs: number;
  /** Wall time of the beginning or of the last sound. */
  soundAt: number;
  /** How much of the time was no silence. */
  soundMs: number;
  utterances: number;
  readonly words: Buffer[];
};

function begun(step: Step | undefined, wall: number): Progress {
  return {
    step: step ?? { kind: 'hang_up' },
    ms: 0,
    quietMs: 0,
    soundAt: wall,
    soundMs: 0,
    utterances: 0,
    words: step?.kind === 'speak' ? framesOf(mulawEncode(modulate(step.text))) : [],
  };
}

function noteSound(current: Progress, bytes: Buffer, wall: number): void {
  current.soundMs += (bytes.length / FRAME_BYTES) * FRAME_MS;
  current.soundAt = wall;
}

function listen(
  current: Progress,
  utterances: number,
  wall: number,
  understood: () => void,
  missed: (what: string) => void,
): void {
  if (current.utterances >= utterances) {
    if (current.quietMs >= PATIENCE.pauseMs) understood();
    return;
  }
  if (current.soundMs > 0) {
    if (tiredOf(current, PATIENCE.nothingUnderstoodMs, PATIENCE.nothingUnderstoodWallMs, wall)) {
      missed('went on without having understood the agent');
    }
  } else if (tiredOf(current, PATIENCE.nothingHeardMs, PATIENCE.nothingHeardWallMs, wall)) {
    missed('went on without having heard the agent');
  }
  if (current.soundMs >= PATIENCE.endlessWordsMs) missed('lost patience with an agent who talks on');
}

function interrupt(
  current: Progress,
  afterMs: number,
  wall: number,
  cutIn: () => void,
  missed: (what: string) => void,
): void {
  if (current.soundMs >= afterMs) cutIn();
  else if (tiredOf(current, PATIENCE.nothingHeardMs, PATIENCE.nothingHeardWallMs, wall))
    missed('did not hear enough of the agent to interrupt');
}

/** Quiet for so long, both in audio and on the wall. */
function tiredOf(current: Progress, audioMs: number, wallMs: number, wall: number): boolean {
  return current.quietMs >= audioMs && wall - current.soundAt >= wallMs;
}

function isSilent(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === SILENCE_BYTE);
}
