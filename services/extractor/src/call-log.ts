import {
  callLogStatus,
  transcriptLines,
  type CallSummarized,
  type FieldResult,
  type FieldValue,
  type NewCallLog,
  type StageResult,
} from '@pipeline/contracts';

/** How extractor's own part ended. Without `fields` it did not. */
export type ExtractionPart = { readonly fields: readonly FieldResult[]; readonly result: StageResult };

/** The CallLog of a call: every fact from its event, the fields from our own work. */
export function callLogOf(event: CallSummarized, part: ExtractionPart): NewCallLog {
  const { call, liveTranscript, transcript, summary } = event.data;
  const stages = { ...event.data.stages, extractor: part.result };
  return {
    callSid: event.callSid,
    businessId: event.businessId,
    from: call.from,
    to: call.to,
    direction: call.direction,
    startedAt: call.startedAt,
    endedAt: call.endedAt,
    endedReason: call.endedReason,
    source: call.source,
    duration_sec: call.durationSec,
    transcription: liveTranscript === null ? null : transcriptLines(liveTranscript),
    transcription_turns: liveTranscript ?? [],
    final_transcript: transcript?.text ?? null,
    final_segments: transcript?.segments ?? [],
    transcript_language: transcript?.language ?? null,
    transcript_quality: transcript?.quality ?? null,
    summary,
    extracted_city: textOf(part.fields, 'city'),
    extracted_service: textOf(part.fields, 'service'),
    fields: [...part.fields],
    stages,
    status: callLogStatus(stages),
    revision: event.revision,
  };
}

/** A field as one text. A business may define city or service as a list, for which the webhook has one text all the same. */
function textOf(fields: readonly FieldResult[], key: string): string | null {
  const value: FieldValue = fields.find((field) => field.key === key)?.value ?? null;
  if (Array.isArray(value)) return value.filter((item) => typeof item === 'string').join(', ') || null;
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
}
