import {
  analysisOf,
  eventId,
  EVENT_VERSION,
  type BusinessSettings,
  type CallLog,
  type CallSummarized,
  type CallTranscribed,
  type StageResults,
} from '@pipeline/contracts';

/** From where a stored call is worked again: its transcript is kept, or its transcript and its summary. */
export const STARTS = ['transcribed', 'summarized'] as const;
export type Start = (typeof STARTS)[number];

/** Why a stored call cannot be worked again. */
export type Obstacle = 'no_transcript' | 'no_summary';

/** What stands in the way of working a call again from there, or null. */
export function obstacleOf(callLog: CallLog, from: Start): Obstacle | null {
  if (callLog.final_transcript === null) return 'no_transcript';
  return from === 'summarized' && callLog.summary === null ? 'no_summary' : null;
}

/**
 * The event that sends a stored call through the stages again as its next revision, with the settings of its business as they are
 * now. It says what the CallLog says; parts that are made again are left out. Its id is that of the stage it stands in for, so two
 * operators who ask at once ask for one revision.
 */
export function reanalysisEvent(
  callLog: CallLog,
  options: { readonly from: Start; readonly settings: BusinessSettings; readonly notify: boolean; readonly now: Date },
): CallTranscribed | CallSummarized {
  const { from, settings, notify, now } = options;
  const revision = callLog.revision + 1;
  const envelope = {
    version: EVENT_VERSION,
    occurredAt: now.toISOString(),
    businessId: callLog.businessId,
    callSid: callLog.callSid,
    revision,
  } as const;
  const data = { ...factsOf(callLog), analysis: analysisOf(settings), notify };
  const { transcriber, summarizer } = callLog.stages;
  switch (from) {
    case 'transcribed': {
      const id = eventId(callLog.callSid, 'transcriber', revision);
      return { type: 'call.transcribed', ...envelope, id, data: { ...data, stages: stagesOf({ transcriber }) } };
    }
    case 'summarized': {
      const id = eventId(callLog.callSid, 'summarizer', revision);
      const stages = stagesOf({ transcriber, summarizer });
      return { type: 'call.summarized', ...envelope, id, data: { ...data, summary: callLog.summary, stages } };
    }
  }
}

function factsOf(callLog: CallLog) {
  const { from, to, direction, startedAt, endedAt, endedReason, source, duration_sec: durationSec } = callLog;
  const { final_transcript: text, final_segments: segments, transcript_language: language } = callLog;
  const quality = callLog.transcript_quality ?? undefined;
  return {
    call: { from, to, direction, startedAt, endedAt, durationSec, endedReason, source },
    liveTranscript: callLog.transcription === null ? null : callLog.transcription_turns,
    transcript: text === null ? null : { text, language, segments, ...(quality === undefined ? {} : { quality }) },
  };
}

function stagesOf(parts: { [Stage in keyof StageResults]: StageResults[Stage] | undefined }): StageResults {
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined));
}
