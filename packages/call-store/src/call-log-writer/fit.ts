import mongoose from 'mongoose';
import { callLogStatus, FAILURES, PermanentError, type NewCallLog } from '@pipeline/contracts';
import { toContent } from '../call-log/mapping.ts';

/** Bytes of BSON that a CallLog may have. The database stops at 16 MiB; `previous` and the store's own keys need the rest. */
export const MAX_CALL_LOG_BYTES = 14 * 1024 * 1024;

/** What is left out, in this order, until a CallLog fits. What the webhook needs most goes last. */
const STEPS: readonly { readonly part: string; readonly leaveOut: (log: NewCallLog) => NewCallLog }[] = [
  { part: 'final_segments', leaveOut: (log) => ({ ...log, final_segments: [] }) },
  { part: 'transcription_turns', leaveOut: (log) => ({ ...log, transcription_turns: [] }) },
  { part: 'transcription', leaveOut: (log) => ({ ...log, transcription: null }) },
  { part: 'evidence', leaveOut: withoutEvidence },
  { part: 'final_transcript', leaveOut: withoutTranscript },
];

/**
 * Makes a CallLog fit into one document. Every call needs its CallLog (L6), so parts are left out rather than the call: their
 * names stand in `omitted`, and a transcript that had to go makes transcriber's part `failed` with `EVENT_TOO_LARGE` (L5).
 * Throws PermanentError `EVENT_TOO_LARGE` when even that is not enough, which takes a summary or fields of megabytes.
 */
export function fitCallLog(log: NewCallLog, maxBytes: number = MAX_CALL_LOG_BYTES): NewCallLog {
  let fitting = log;
  const omitted: string[] = [];
  for (const { part, leaveOut } of STEPS) {
    if (sizeOf(fitting) <= maxBytes) return fitting;
    omitted.push(part);
    fitting = { ...leaveOut(fitting), omitted: [...omitted] };
  }
  if (sizeOf(fitting) <= maxBytes) return fitting;
  throw new PermanentError('EVENT_TOO_LARGE');
}

function withoutEvidence(log: NewCallLog): NewCallLog {
  return { ...log, fields: log.fields.map((field) => ({ ...field, evidence: null })) };
}

function withoutTranscript(log: NewCallLog): NewCallLog {
  const code = 'EVENT_TOO_LARGE';
  const unknown = { model: null, attempts: 1, ms: 0, usage: null, costUsd: null };
  const transcriber = { ...unknown, ...log.stages.transcriber, state: FAILURES[code].state, code } as const;
  const stages = { ...log.stages, transcriber };
  return { ...log, final_transcript: null, stages, status: callLogStatus(stages) };
}

function sizeOf(log: NewCallLog): number {
  return mongoose.mongo.BSON.calculateObjectSize(toContent(log), { ignoreUndefined: true });
}
