import {
  eventId,
  stageDone,
  stageNotDone,
  type CallEnded,
  type CallTranscribed,
  type Failure,
  type OutboundEvent,
  type PriceTable,
  type Received,
  type StageResult,
  type Transcript,
} from '@pipeline/contracts';
import { hear, type CallRecording, type HearingDeps } from './hear.ts';
import type { Hint } from './speech-to-text.ts';
import { mayBeRecorded } from './unrecorded.ts';

/** A call whose recordings are looked for. */
export type SoughtCall = {
  readonly callSid: string;
  readonly attempt: number;
  /** False: nothing was there to be recorded, so that what is not listed now is not waited for. */
  readonly mayBeRecorded: boolean;
};

export type OpenRecordings = { readonly recordings: readonly CallRecording[]; close(): Promise<void> };

export type Progress =
  | { readonly kind: 'started'; readonly callSid: string }
  | {
      readonly kind: 'obtained';
      readonly callSid: string;
      readonly chars: number;
      readonly segments: number;
      /** What makes the transcript doubtful, names of `QUALITY_FLAGS`. */
      readonly flags: readonly string[];
    }
  | { readonly kind: 'hint-refused'; readonly callSid: string; readonly businessId: string; readonly hint: Hint };

export type TranscriberDeps = HearingDeps & {
  /** Finds and downloads the recordings of a call, in order of time. Throws when there is none, yet or ever. */
  openRecordings(call: SoughtCall, signal: AbortSignal): Promise<OpenRecordings>;
  report(progress: Progress): void;
  /** Milliseconds since 1970. */
  now(): number;
  readonly prices: PriceTable;
};

/** Makes the final transcript of an ended call from its recording. */
export async function handle(
  event: Received<CallEnded>,
  deps: TranscriberDeps,
  signal: AbortSignal,
): Promise<OutboundEvent[]> {
  const startedAtMs = deps.now();
  const { callSid, attempt } = event;
  const sought = { callSid, attempt, mayBeRecorded: mayBeRecorded(event.data) };
  const opened = await deps.openRecordings(sought, signal);
  try {
    deps.report({ kind: 'started', callSid });
    const { analysis, liveTranscript: live } = event.data;
    const call = { recordings: opened.recordings, analysis, live };
    const { transcript, usage } = await hear(call, tellingOfHints(event, deps), signal);
    const { text, segments, quality } = transcript;
    const flags = quality?.flags ?? [];
    deps.report({ kind: 'obtained', callSid, chars: text.length, segments: segments.length, flags });
    const ms = deps.now() - startedAtMs;
    const { setup, prices } = deps;
    const result = stageDone({ model: setup.model, attempts: event.attempt, ms, usage, prices });
    return [transcribed(event, transcript, result, deps.now())];
  } finally {
    await opened.close();
  }
}

function tellingOfHints({ callSid, businessId }: Received<CallEnded>, deps: TranscriberDeps): HearingDeps {
  const onRefusedHint = (hint: Hint): void => deps.report({ kind: 'hint-refused', callSid, businessId, hint });
  return { ...deps, transcribe: (request, signal) => deps.transcribe({ ...request, onRefusedHint }, signal) };
}

/** Hands on a call without a final transcript, and why. */
export async function handOn(
  event: Received<CallEnded>,
  failure: Failure,
  deps: Pick<TranscriberDeps, 'now' | 'prices'>,
  _signal: AbortSignal,
): Promise<OutboundEvent[]> {
  return [transcribed(event, null, stageNotDone(failure, event.attempt, deps.prices), deps.now())];
}

function transcribed(
  { attempt: _attempt, ...event }: Received<CallEnded>,
  transcript: Transcript | null,
  result: StageResult,
  nowMs: number,
): CallTranscribed {
  return {
    ...event,
    type: 'call.transcribed',
    id: eventId(event.callSid, 'transcriber', event.revision),
    occurredAt: new Date(nowMs).toISOString(),
    data: { ...event.data, transcript, stages: { transcriber: result } },
  };
}
