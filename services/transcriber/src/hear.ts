import { PermanentError, type AnalysisSettings, type LiveTurn, type Transcript } from '@pipeline/contracts';
import { addUp, askAll, type AskingDeps, type Question } from './ask-all.ts';
import type { FileAudio, Listening } from './listening.ts';
import type { ChannelMap } from './quality/channel-check.ts';
import type { PartText } from './quality/heard-part.ts';
import { planWindows, type TranscriptionMode } from './recording/windows.ts';
import { spokenLanguage, transcriptOf } from './transcript.ts';

/** A recording of the call on this machine. `offsetMs` is its start, counted from the start of the first recording. */
export type CallRecording = { readonly source: FileAudio; readonly offsetMs: number };

/** A call to listen to. */
export type HeardCall = {
  readonly recordings: readonly CallRecording[];
  readonly analysis: AnalysisSettings;
  readonly live: readonly LiveTurn[] | null;
};

export type HearingDeps = AskingDeps &
  Listening & {
    readonly setup: AskingDeps['setup'] & {
      readonly channelMap: ChannelMap;
      readonly mode: TranscriptionMode;
      /** Letters and digits that people say in a second at most. */
      readonly maxCharsPerSec: number;
    };
  };

/** The transcript and what all its requests used. */
export type Heard = { readonly transcript: Transcript; readonly usage: Record<string, number> };

/**
 * Transcribes the speech of recordings, each speaker by itself. Where nobody speaks nothing is asked, and nothing paid. Throws
 * PermanentError `NO_SPEECH` when there are no words.
 */
export async function hear(call: HeardCall, deps: HearingDeps, signal: AbortSignal): Promise<Heard> {
  const { questions, hasTones } = await listen(call.recordings, deps, signal);
  if (questions.length === 0) throw new PermanentError('NO_SPEECH');
  const answers = await askAll(questions, call.analysis, deps, signal);
  const texts = answers.filter((answer) => answer !== null);
  const parts = questions.map((question, index) => partOf(question, answers[index]?.text ?? ''));
  const { channelMap, maxCharsPerSec, model } = deps.setup;
  const { keywords } = call.analysis;
  const judgement = await deps.judge({ parts, live: call.live, keywords, channelMap, maxCharsPerSec }, signal);
  const usage = addUp(texts);
  const given = { channelMap, hasTones, hasGaps: texts.length < answers.length, spent: { model, usage } };
  return { transcript: transcriptOf(parts, spokenLanguage(texts), judgement, given), usage };
}

async function listen(
  recordings: readonly CallRecording[],
  deps: HearingDeps,
  signal: AbortSignal,
): Promise<{ questions: Question[]; hasTones: boolean }> {
  const questions: Question[] = [];
  let hasTones = false;
  for (const { source, offsetMs } of recordings) {
    const survey = await deps.survey(source, signal);
    hasTones ||= survey.channels.some(({ tones }) => tones > 0);
    const windows = planWindows(survey, deps.setup.mode);
    questions.push(...windows.map((window) => ({ source, offsetMs, survey, window })));
  }
  return { questions, hasTones };
}

function partOf({ survey, window, offsetMs }: Question, text: string): PartText {
  return {
    text,
    channel: survey.isDual ? (window.channel === 0 ? 0 : 1) : null,
    startMs: window.startMs + offsetMs,
    endMs: window.endMs + offsetMs,
    spokenMs: window.spokenMs,
    isTonal: window.isTonal,
  };
}
