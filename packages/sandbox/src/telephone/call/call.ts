import { newSid } from '../account.ts';
import type { Recording } from '../line/recording.ts';
import type { RecordingBehaviour } from '../rest/recording-behaviour.ts';
import type { CallScript } from '../line/script.ts';

/** Twilio's words for where a call is. The last five are final. */
export type CallStatus =
  | 'queued'
  | 'ringing'
  | 'in-progress'
  | 'completed'
  | 'busy'
  | 'failed'
  | 'no-answer'
  | 'canceled';

/** How an outbound call ends that the other side never takes: nobody is asked what to do with it. */
export type Unanswered = 'no-answer' | 'busy' | 'failed' | 'canceled';

/**
 * Who ended a call. `refused`: the gateway did not take it. `unanswered`: whom it called did not. `operator`: REST, or the telephone was
 * closed.
 */
export type EndedBy = 'caller' | 'agent' | 'operator' | 'network' | 'refused' | 'unanswered';

/** One call as the telephone company knows it. Wall times in milliseconds since 1970. */
export type Call = {
  readonly callSid: string;
  readonly from: string;
  readonly to: string;
  readonly direction: 'inbound' | 'outbound-api';
  readonly createdAt: number;
  status: CallStatus;
  startedAt: number | null;
  endedAt: number | null;
  /** Audio time from the first frame to the last, in whole seconds; of a fast call more than the clock on the wall says. */
  durationSec: number | null;
  recording: CallRecording | null;
  /** Ends the call from outside; the reason is who did it. */
  readonly ending: AbortController;
};

export type CallRecording = {
  readonly sid: string;
  readonly channels: 1 | 2;
  readonly startedAt: number;
  readonly audio: Recording;
  /** How this recording shows up; null: as the telephone's recordings do in general. */
  behaviour: RecordingBehaviour | null;
  /** Requests so far, counted from the end of the call. */
  lookups: number;
  downloads: number;
  refusals: number;
  deleted: boolean;
};

/** A call that is about to be placed. Outbound: the business calls. */
export function newCall(script: Pick<CallScript, 'from' | 'to' | 'direction'>): Call {
  return {
    callSid: newSid('CA'),
    from: script.from,
    to: script.to,
    direction: script.direction === 'inbound' ? 'inbound' : 'outbound-api',
    createdAt: Date.now(),
    status: 'ringing',
    startedAt: null,
    endedAt: null,
    durationSec: null,
    recording: null,
    ending: new AbortController(),
  };
}

/** A status that stays. */
export function isFinal(status: CallStatus): boolean {
  return status !== 'queued' && status !== 'ringing' && status !== 'in-progress';
}
