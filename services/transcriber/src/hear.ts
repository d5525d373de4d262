import {
  PermanentError,
  transcriptLines,
  transcriptSchema,
  type AnalysisSettings,
  type Segment,
  type Transcript,
} from '@pipeline/contracts';
import { mapBounded } from './bounded.ts';
import type { AudioSource } from './recording/audio-source.ts';
import { mergeSegments } from './recording/merge.ts';
import { findSegments, type ChannelMap, type SpeechSegment } from './recording/segments.ts';

/** A recording of the call on this machine. `offsetMs` is its start, counted from the start of the first recording. */
export type CallRecording = { readonly source: AudioSource; readonly offsetMs: number };

/** One stretch of speech for speech-to-text. `audio` is a WAV file of one channel, read only when its turn has come. */
export type SpeechRequest = {
  readonly audio: () => Promise<Uint8Array<ArrayBuffer>>;
  readonly language: string;
  readonly keywords: readonly string[];
};

/** What was said. `language` as heard, `null` when unsure; `usage` is what the provider counted. */
export type SpeechText = {
  readonly text: string;
  readonly language: string | null;
  readonly usage: Readonly<Record<string, number>>;
};

export type HearingDeps = {
  transcribe(request: SpeechRequest, signal: AbortSignal): Promise<SpeechText>;
  /** `concurrency` bounds the requests that one call has open at the same time. */
  readonly setup: { readonly channelMap: ChannelMap; readonly concurrency: number };
};

/** The transcript and what all its requests used. */
export type Heard = { readonly transcript: Transcript; readonly usage: Record<string, number> };

/** A day of speech. Text and segments of this length, in any script, still fit into a document of 16 MB. */
const MAX_TRANSCRIPT_CHARS = 1_500_000;

/**
 * Transcribes the speech of recordings, each speaker by itself. Where nobody speaks nothing is asked, and nothing paid. Throws
 * PermanentError `NO_SPEECH` when there are no words.
 */
export async function hear(
  recordings: readonly CallRecording[],
  analysis: AnalysisSettings,
  deps: HearingDeps,
  signal: AbortSignal,
): Promise<Heard> {
  const stretches: { segment: SpeechSegment; offsetMs: number }[] = [];
  for (const { source, offsetMs } of recordings) {
    const segments = await findSegments(source, deps.setup.channelMap);
    stretches.push(...segments.map((segment) => ({ segment, offsetMs })));
  }
  const { language, keywords } = analysis;
  const texts = await mapBounded(
    stretches,
    deps.setup.concurrency,
    ({ segment }, stopped) => deps.transcribe({ audio: segment.audio, language, keywords }, stopped),
    signal,
  );
  const heard = stretches.map(({ segment, offsetMs }, index): Segment => ({
    speaker: segment.speaker,
    text: texts[index]?.text ?? '',
    startMs: segment.startMs + offsetMs,
    endMs: segment.endMs + offsetMs,
  }));
  return { transcript: transcriptOf(mergeSegments(heard), spokenLanguage(texts)), usage: addUp(texts) };
}

function transcriptOf(segments: Segment[], language: string | null): Transcript {
  const text = transcriptLines(segments);
  if (text === '') throw new PermanentError('NO_SPEECH');
  const transcript = transcriptSchema.safeParse({ text, language, segments });
  if (text.length > MAX_TRANSCRIPT_CHARS || !transcript.success) throw new PermanentError('EVENT_TOO_LARGE');
  return transcript.data;
}

/** The language in which most was said. */
function spokenLanguage(texts: readonly SpeechText[]): string | null {
  const chars = new Map<string, number>();
  for (const { text, language } of texts) {
    if (language !== null) chars.set(language, (chars.get(language) ?? 0) + text.length);
  }
  const [most] = [...chars].toSorted(([, a], [, b]) => b - a);
  return most?.[0] ?? null;
}

function addUp(texts: readonly SpeechText[]): Record<string, number> {
  const sum = new Map<string, number>([['requests', texts.length]]);
  for (const { usage } of texts) {
    for (const [unit, count] of Object.entries(usage)) sum.set(unit, (sum.get(unit) ?? 0) + count);
  }
  return Object.fromEntries(sum);
}
