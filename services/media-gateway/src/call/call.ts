import type { AnalysisSettings, CallEnded } from '@pipeline/contracts';
import type { AgentEvent, AgentSession } from '../agent.ts';
import { emptyTranscript, type LiveTranscript } from '../live-transcript.ts';
import type { EndReason } from './end-reasons.ts';
import { emptyPlayback, type Playback } from './playback.ts';

/** What is fixed when a call is answered. The call keeps this copy, whatever changes in the settings meanwhile. */
export type CallPlan = {
  readonly callSid: string;
  readonly businessId: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly direction: 'inbound' | 'outbound';
  readonly analysis: AnalysisSettings;
  readonly agent: Omit<AgentSession, 'history'>;
  readonly greeting: string;
  readonly limits: CallLimits;
  /** Milliseconds since 1970, on the clock of the inputs. */
  readonly startedAt: number;
};

/** Milliseconds each. */
export type CallLimits = {
  /** From the answer to the start of the media stream. */
  readonly streamWaitMs: number;
  /** Without audio from the caller's side. */
  readonly mediaIdleMs: number;
  readonly maxCallMs: number;
  /** For transcriptions of the caller that are still to come when the call has ended. */
  readonly transcriptionGraceMs: number;
  /** For the agent's last words after it decided to hang up. */
  readonly farewellMs: number;
  /** For the agent to begin the greeting or an answer that it owes. */
  readonly answerMs: number;
};

/**
 * Everything that one call knows. `phase` only moves forward:
 * `answered` TwiML was given; `live` the media stream is open; `closing` over, last transcriptions awaited;
 * `ended` the event is on its way; `published` the stream has it.
 */
export type Call = {
  readonly plan: CallPlan;
  readonly phase: 'answered' | 'live' | 'closing' | 'ended' | 'published';
  readonly end: { readonly reason: EndReason; readonly at: number } | null;
  readonly media: {
    /** The media stream was open at least once: the live transcript is a list, not `null`. */
    readonly wasOpen: boolean;
    /** Milliseconds of caller audio received. */
    readonly receivedMs: number;
    readonly lastFrameAt: number;
  };
  readonly agent: {
    readonly state: 'none' | 'connecting' | 'ready' | 'gone';
    readonly hasReconnected: boolean;
    /** The session was lost while it owed the caller an answer. */
    readonly owesAnswer: boolean;
    /** When the present session began to owe the greeting or an answer of which nothing was heard yet; `null` when it owes none. */
    readonly owesSince: number | null;
    /** `receivedMs` at the first frame of the present session. */
    readonly offsetMs: number;
    readonly isResponding: boolean;
    /** Failed responses in a row. */
    readonly failures: number;
    readonly isLeaving: boolean;
  };
  /** Caller audio that waits for the agent's session: the latest {@link MAX_WAITING} frames. */
  readonly waiting: readonly string[];
  readonly playback: Playback;
  readonly transcript: LiveTranscript;
  /** The caller's item that is being spoken, and all whose transcription is still to come. */
  readonly speaking: string | null;
  readonly untranscribed: readonly string[];
};

/** 10 s of frames of 20 ms: longer than the agent may take to be ready. */
export const MAX_WAITING = 500;

export const FINAL_STATUSES = ['completed', 'busy', 'failed', 'no-answer', 'canceled'] as const;
export type FinalStatus = (typeof FINAL_STATUSES)[number];

export type TimerName = 'stream_wait' | 'media_idle' | 'max_duration' | 'grace' | 'farewell' | 'answer';

/** Everything that can happen to a call. */
export type CallInput =
  | { readonly kind: 'media_started' }
  | { readonly kind: 'media_audio'; readonly payload: string; readonly ms: number }
  | { readonly kind: 'media_mark'; readonly name: string }
  | { readonly kind: 'media_stopped' }
  | { readonly kind: 'media_closed' }
  | { readonly kind: 'media_invalid' }
  | { readonly kind: 'congested' }
  | { readonly kind: 'final_status'; readonly status: FinalStatus }
  /** The call that there was no room for has ended. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'timer'; readonly timer: TimerName }
  | { readonly kind: 'drain' }
  | { readonly kind: 'published' }
  | AgentEvent;

/** Everything that a call can cause. */
export type CallEffect =
  | { readonly kind: 'connect_agent'; readonly session: AgentSession }
  | { readonly kind: 'append_audio'; readonly payload: string }
  | { readonly kind: 'speak'; readonly text: string | null }
  | { readonly kind: 'commit_audio' }
  | { readonly kind: 'truncate'; readonly itemId: string; readonly heardMs: number }
  /** `lostBy` says why a session is given up that goes on by itself. */
  | { readonly kind: 'close_agent'; readonly lostBy?: string }
  | { readonly kind: 'play_audio'; readonly payload: string; readonly mark: string }
  | { readonly kind: 'clear_audio' }
  | { readonly kind: 'close_media' }
  | { readonly kind: 'set_timer'; readonly timer: TimerName; readonly ms: number }
  | { readonly kind: 'publish'; readonly event: CallEnded }
  /** The stream has the event: say so and forget the call. */
  | { readonly kind: 'hand_over'; readonly event: CallEnded };

export type Step = { readonly call: Call; readonly effects: readonly CallEffect[] };

/** A call that was answered just now. */
export function newCall(plan: CallPlan): Step {
  const call: Call = {
    plan,
    phase: 'answered',
    end: null,
    media: { wasOpen: false, receivedMs: 0, lastFrameAt: plan.startedAt },
    agent: {
      state: 'none',
      hasReconnected: false,
      owesAnswer: false,
      owesSince: null,
      offsetMs: 0,
      isResponding: false,
      failures: 0,
      isLeaving: false,
    },
    waiting: [],
    playback: emptyPlayback,
    transcript: emptyTranscript,
    speaking: null,
    untranscribed: [],
  };
  return { call, effects: [{ kind: 'set_timer', timer: 'stream_wait', ms: plan.limits.streamWaitMs }] };
}
