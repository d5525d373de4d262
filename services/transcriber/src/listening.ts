import { cutPiece, type Piece } from './recording/cut.ts';
import type { AudioSource } from './recording/audio-source.ts';
import { surveyRecording, type Survey } from './recording/survey.ts';
import { judge, type Case, type Judgement } from './quality/judge.ts';
import type { WavLayout } from './recording/wav.ts';

/** Audio in an open file. `fd` belongs to whoever opened it and stays open until no work on it runs any more. */
export type FileAudio = AudioSource & { readonly fd: number };

/** The work on a call that takes a processor's time, so that it can be done where it delays nothing else. */
export type Listening = {
  survey(source: FileAudio, signal: AbortSignal): Promise<Survey>;
  cut(source: FileAudio, layout: WavLayout, piece: Piece, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  judge(given: Case, signal: AbortSignal): Promise<Judgement>;
};

/** The same work here and now: what the thread runs, and what tests without one use. */
export const listening: Listening = {
  survey: surveyRecording,
  cut: cutPiece,
  judge: async (given) => judge(given),
};
