import {
  PermanentError,
  transcriptLines,
  transcriptSchema,
  type QualityFlag,
  type Segment,
  type Speaker,
  type Spent,
  type Transcript,
} from '@pipeline/contracts';
import type { ChannelMap } from './quality/channel-check.ts';
import type { PartText } from './quality/heard-part.ts';
import type { Judgement } from './quality/judge.ts';
import { mergeSegments } from './recording/merge.ts';
import type { SpeechText } from './speech-to-text.ts';

/** A day of speech. Text and segments of this length, in any script, still fit into a document of 16 MB. */
const MAX_TRANSCRIPT_CHARS = 1_500_000;

/** What stands beside the parts: what was left out before, who is on which channel, and what was paid. */
export type Circumstances = {
  readonly channelMap: ChannelMap;
  readonly hasTones: boolean;
  readonly hasGaps: boolean;
  readonly spent: Spent;
};

/**
 * One conversation out of what was heard on all channels, with what makes it doubtful. Channels that the live transcript clearly shows the
 * other way round are labelled by it. Throws PermanentError `NO_SPEECH` when there are no words, with what was paid.
 */
export function transcriptOf(
  parts: readonly PartText[],
  language: string | null,
  judgement: Judgement,
  given: Circumstances,
): Transcript {
  const [left, right] = given.channelMap;
  const speakers: readonly Speaker[] = judgement.channels === 'swapped' ? [right, left] : [left, right];
  const segments = mergeSegments(
    parts.map(({ channel, text, startMs, endMs }, index): Segment => {
      const flags = judgement.flags[index] ?? [];
      const speaker = channel === null ? 'unknown' : (speakers[channel] ?? 'unknown');
      return { speaker, text, startMs, endMs, ...(flags.length === 0 ? {} : { flags: [...flags] }) };
    }),
  );
  const text = transcriptLines(segments);
  const { spent } = given;
  if (text === '') throw new PermanentError('NO_SPEECH', { spent });
  const quality = {
    flags: [...new Set([...segments.flatMap(({ flags }) => flags ?? []), ...flagsOfAll(parts, judgement, given)])],
    flaggedSegments: segments.filter(({ flags }) => flags !== undefined).length,
    liveMatch: judgement.liveMatch,
  };
  const transcript = transcriptSchema.safeParse({ text, language, segments, quality });
  if (text.length > MAX_TRANSCRIPT_CHARS || !transcript.success) throw new PermanentError('EVENT_TOO_LARGE', { spent });
  return transcript.data;
}

function flagsOfAll(parts: readonly PartText[], judgement: Judgement, given: Circumstances): QualityFlag[] {
  return [
    ...(judgement.differsFromLive ? (['differs_from_live'] as const) : []),
    ...(given.hasTones ? (['tones_left_out'] as const) : []),
    ...(given.hasGaps ? (['parts_missing'] as const) : []),
    ...(parts.some(({ channel }) => channel === null) ? (['speakers_unknown'] as const) : []),
    ...(judgement.channels === 'swapped' ? (['channels_swapped'] as const) : []),
    ...(judgement.channels === 'doubtful' ? (['channels_doubtful'] as const) : []),
  ];
}

/** The language in which most was said. */
export function spokenLanguage(texts: readonly SpeechText[]): string | null {
  const chars = new Map<string, number>();
  for (const { text, language } of texts) {
    if (language !== null) chars.set(language, (chars.get(language) ?? 0) + text.length);
  }
  const [most] = [...chars].toSorted(([, a], [, b]) => b - a);
  return most?.[0] ?? null;
}
