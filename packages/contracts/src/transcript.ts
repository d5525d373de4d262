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

/** One stretch of speech in the recording: times in milliseconds from its start. */
export const segmentSchema = z.looseObject({
  speaker: speakerSchema,
  text: z.string().max(100_000),
  startMs: z.int().min(0),
  endMs: z.int().min(0),
  flags: z.array(z.string().max(64)).max(16).optional(),
});
export type Segment = z.infer<typeof segmentSchema>;

/** The result of the transcriber. `text` is {@link transcriptLines} of `segments`. */
export const transcriptSchema = z.looseObject({
  text: z.string().max(4_000_000),
  language: z.string().max(32).nullable(),
  segments: z.array(segmentSchema).max(50_000),
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
