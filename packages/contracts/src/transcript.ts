import { z } from 'zod';

/** Who spoke. `unknown` when the recording cannot tell (one channel, or twice the same). */
export const speakerSchema = z.enum(['caller', 'agent', 'unknown']);
export type Speaker = z.infer<typeof speakerSchema>;

/**
 * One entry of the live transcript as the agent's session reported it, in order of speech. `startMs` counts from the first
 * frame of the media stream. `interrupted` marks an agent's turn that the caller cut; `heardMs` says how much was heard.
 */
export const liveTurnSchema = z.looseObject({
  speaker: speakerSchema,
  text: z.string().max(20_000),
  startMs: z.int().min(0).nullable(),
  interrupted: z.boolean().optional(),
  heardMs: z.int().min(0).optional(),
});
export type LiveTurn = z.infer<typeof liveTurnSchema>;

/** One stretch of speech in the recording: times in milliseconds from its start. `flags` say why it is doubtful ({@link QUALITY_FLAGS}). */
export const segmentSchema = z.looseObject({
  speaker: speakerSchema,
  text: z.string().max(100_000),
  startMs: z.int().min(0),
  endMs: z.int().min(0),
  flags: z.array(z.string().max(64)).max(16).optional(),
});
export type Segment = z.infer<typeof segmentSchema>;

/**
 * What makes a transcript, or a part of it, doubtful, each with one sentence for a person. A flagged part is kept and marked, never
 * dropped. The first five and `no_words` also stand on the segment that they are about. Names are stable: append, never rename.
 */
export const QUALITY_FLAGS = {
  repetition: 'The same words come again and again, as recognizers do that have lost the thread.',
  prompt_echo: 'The words are those of our own keywords, not of a speaker.',
  too_fast: 'There is more text than anybody can say in the time.',
  tonal: 'The sound is more like a tone or music than like speech.',
  not_in_live: 'The live transcript has nothing like it.',
  differs_from_live: 'The transcript as a whole has little in common with the live transcript.',
  tones_left_out: 'Steady tones, such as keys of the telephone, were not sent to speech-to-text.',
  parts_missing: 'Speech-to-text refused single stretches; their words are missing.',
  speakers_unknown: 'The recording has one channel, or twice the same, so nobody knows who speaks.',
  channels_swapped:
    'By the live transcript the channels are the other way round than configured; the labels follow it.',
  channels_doubtful:
    'The live transcript speaks against the configured channels, but not clearly; the labels follow the configuration.',
  no_words: 'What came back has no letter and no digit in it.',
} as const;
/** One of the flags of {@link QUALITY_FLAGS}. */
export type QualityFlag = keyof typeof QUALITY_FLAGS;

/**
 * How far a transcript can be trusted. `flags` are those of {@link QUALITY_FLAGS}, a later version may know more; `liveMatch` is the
 * share of its text that the live transcript has too, from 0 to 1, `null` where there is too little to compare.
 */
export const qualitySchema = z.looseObject({
  flags: z.array(z.string().max(64)).max(32),
  flaggedSegments: z.int().min(0),
  liveMatch: z.number().min(0).max(1).nullable(),
});
export type Quality = z.infer<typeof qualitySchema>;

/** The result of the transcriber. `text` is {@link transcriptLines} of `segments`; one without `quality` was not judged. */
export const transcriptSchema = z.looseObject({
  text: z.string().max(4_000_000),
  language: z.string().max(32).nullable(),
  segments: z.array(segmentSchema).max(50_000),
  quality: qualitySchema.optional(),
});
export type Transcript = z.infer<typeof transcriptSchema>;

/** The form in which people and webhooks read speech: one line a segment, `caller: ...` or `agent: ...`, joined by LF. */
export function transcriptLines(turns: readonly { readonly speaker: Speaker; readonly text: string }[]): string {
  return turns
    .map((turn) => ({ speaker: turn.speaker, text: turn.text.replace(/\s+/g, ' ').trim() }))
    .filter((turn) => turn.text !== '')
    .map((turn) => `${turn.speaker}: ${turn.text}`)
    .join('\n');
}
