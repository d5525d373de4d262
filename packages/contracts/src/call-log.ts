import { z } from 'zod';
import { fieldResultSchema } from './fields.ts';
import { callFactsSchema } from './events.ts';
import { businessIdSchema, callSidSchema, instantSchema, revisionSchema } from './identifiers.ts';
import { stageResultsSchema, type StageResults } from './stages.ts';
import { liveTurnSchema, qualitySchema, segmentSchema } from './transcript.ts';

/** What an earlier revision said, kept when a later one replaces it. */
const previousSchema = z.looseObject({
  revision: revisionSchema,
  summary: z.string().nullable(),
  fields: z.array(fieldResultSchema),
});

/** A later revision that failed where the one that stands did not, so that its content was not taken: how its stages ended. */
const failedRevisionSchema = z.looseObject({ revision: revisionSchema, stages: stageResultsSchema });

/**
 * The one document of a call, `calls.call_logs`. Instants are RFC 3339 strings here and dates in the database.
 *
 * `transcription` is the live transcript of the agent's session, `final_transcript` the one made from the recording: both one
 * line a turn (`transcriptLines`), with their parts beside them. The webhook is built from this document and nothing else (L4).
 */
export const callLogSchema = z.looseObject({
  callSid: callSidSchema,
  businessId: businessIdSchema,
  from: z.string().nullable(),
  to: z.string().nullable(),
  direction: z.enum(['inbound', 'outbound']),
  startedAt: instantSchema,
  endedAt: instantSchema,
  endedReason: z.string(),
  source: callFactsSchema.shape.source,
  duration_sec: z.int().min(0).nullable(),
  transcription: z.string().nullable(),
  transcription_turns: z.array(liveTurnSchema),
  final_transcript: z.string().nullable(),
  final_segments: z.array(segmentSchema),
  transcript_language: z.string().nullable(),
  /** How far `final_transcript` can be trusted; absent where nobody judged it. */
  transcript_quality: qualitySchema.nullable().optional(),
  summary: z.string().nullable(),
  extracted_city: z.string().nullable(),
  extracted_service: z.string().nullable(),
  fields: z.array(fieldResultSchema),
  stages: stageResultsSchema,
  status: z.enum(['complete', 'partial']),
  revision: revisionSchema,
  previous: previousSchema.nullable(),
  /** The last re-analysis, where it failed; `revision` is then its, and everything else is of before. */
  failed_revision: failedRevisionSchema.optional(),
  stored_at: instantSchema,
});
export type CallLog = z.infer<typeof callLogSchema>;

/** A CallLog before the store gives it `stored_at`, `previous` and `failed_revision`. */
export const newCallLogSchema = callLogSchema.omit({ stored_at: true, previous: true, failed_revision: true });
export type NewCallLog = z.infer<typeof newCallLogSchema>;

/** `complete` when every stage's part is done, else `partial` (L5). */
export function callLogStatus(stages: StageResults): 'complete' | 'partial' {
  const parts = [stages.transcriber, stages.summarizer, stages.extractor];
  return parts.every((part) => part?.state === 'done') ? 'complete' : 'partial';
}
