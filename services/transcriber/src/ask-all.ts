import {
  PermanentError,
  withSpent,
  type AnalysisSettings,
  type FailureCode,
  type PaidSteps,
} from '@pipeline/contracts';
import { mapBounded } from './bounded.ts';
import type { FileAudio, Listening } from './listening.ts';
import { withAudio } from './question-audio.ts';
import type { Survey } from './recording/survey.ts';
import type { SpeechWindow } from './recording/windows.ts';
import { speechTextSchema, type SpeechAudio, type SpeechRequest, type SpeechText } from './speech-to-text.ts';

/** One request: a window of a recording that starts `offsetMs` after the first one. */
export type Question = {
  readonly source: FileAudio;
  readonly offsetMs: number;
  readonly survey: Survey;
  readonly window: SpeechWindow;
};

export type AskingDeps = Pick<Listening, 'cut'> & {
  transcribe(request: SpeechRequest, signal: AbortSignal): Promise<SpeechText>;
  /** What was paid for this message at an earlier delivery: a call that comes again after a failure pays only for what is missing. */
  readonly paid: PaidSteps;
  /** `concurrency`: requests that one call has open at the same time. */
  readonly setup: { readonly concurrency: number; readonly model: string };
};

/** So many refused requests are a mishap of single stretches; more, or a tenth of them, and something is wrong with all. */
const TOLERATED = { count: 3, share: 0.1 };

/**
 * The texts of all windows in their order, `null` where the provider refused that one: a call of hours is not lost over one stretch that
 * cannot be read. Throws the provider's refusal when it refuses too many; that and every other failure with what was paid for this call.
 */
export async function askAll(
  questions: readonly Question[],
  analysis: AnalysisSettings,
  deps: AskingDeps,
  signal: AbortSignal,
): Promise<(SpeechText | null)[]> {
  const { language, keywords } = analysis;
  const paid = deps.paid.within(deps.setup.model);
  const tolerated = Math.max(TOLERATED.count, Math.floor(questions.length * TOLERATED.share));
  const answered: SpeechText[] = [];
  let refused = 0;
  const ask = async (question: Question, stopped: AbortSignal) => {
    const { source, offsetMs, window } = question;
    const transcribe = (audio: SpeechAudio) => deps.transcribe({ audio, language, keywords }, stopped);
    const key = `${offsetMs}:${source.size}:${window.channel}:${window.startMs}-${window.endMs}`;
    try {
      const text = await paid.once(key, speechTextSchema, () => withAudio(question, deps.cut, transcribe, stopped));
      answered.push(text);
      return text;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refused += 1;
      const isTooMuch =
        refused > tolerated || refused === questions.length || (answered.length === 0 && refused >= TOLERATED.count);
      if (isTooMuch) throw error;
      return null;
    }
  };
  return mapBounded(questions, deps.setup.concurrency, ask, signal).catch((error: unknown) => {
    const { model } = deps.setup;
    throw answered.length === 0 ? error : withSpent(error, { model, usage: addUp(answered) });
  });
}

/** What is about one stretch: it cannot be read, its words are filtered, or no text came back. */
const REFUSALS: ReadonlySet<FailureCode> = new Set(['PROVIDER_REJECTED', 'PROVIDER_REFUSED', 'OUTPUT_INVALID']);

function isRefusal(error: unknown): boolean {
  return error instanceof PermanentError && REFUSALS.has(error.code);
}

/** What all these texts used together. */
export function addUp(texts: readonly SpeechText[]): Record<string, number> {
  const sum = new Map<string, number>([['requests', texts.length]]);
  for (const { usage } of texts) {
    for (const [unit, count] of Object.entries(usage)) sum.set(unit, (sum.get(unit) ?? 0) + count);
  }
  return Object.fromEntries(sum);
}
