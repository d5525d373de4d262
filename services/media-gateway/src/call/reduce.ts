import type { Call, CallInput, FinalStatus, Step, TimerName } from './call.ts';
import { callEnded } from './call-ended.ts';
import { endCall, publishIfReady } from './ending.ts';
import type { EndReason } from './end-reasons.ts';
import { reduceAgent, watchAgent } from './reduce-agent.ts';
import { reduceMedia } from './reduce-media.ts';

/**
 * One call, pure: what it becomes by an input and what that causes. `at` is the milliseconds of the call's own clock, which
 * never runs backwards. Invariants, whatever comes, in whatever order and however often:
 * C1 the first of all reasons ends the call, and nothing revives it;
 * C2 a call that has ended publishes exactly once, at the latest `transcriptionGraceMs` later;
 * C3 once it is published nothing happens any more;
 * C4 an agent that owes a word is waited for at most `answerMs`: then its session is lost.
 */
export function reduce(call: Call, input: CallInput, at: number): Step {
  switch (input.kind) {
    case 'media_started':
    case 'media_audio':
    case 'media_mark':
      return reduceMedia(call, input, at);
    case 'media_stopped':
      return endCall(call, 'stream_stopped', at);
    case 'media_closed':
      return endCall(call, 'stream_closed', at);
    case 'media_invalid':
    case 'congested':
    case 'refused':
    case 'drain':
      return endCall(call, input.kind, at);
    case 'final_status':
      return endCall(call, REASON_OF_STATUS[input.status], at);
    case 'timer':
      return timedOut(call, input.timer, at);
    case 'published':
      return handOver(call);
    default:
      return reduceAgent(call, input, at);
  }
}

const REASON_OF_STATUS: Readonly<Record<FinalStatus, EndReason>> = {
  completed: 'completed',
  busy: 'busy',
  failed: 'failed',
  'no-answer': 'no_answer',
  canceled: 'canceled',
};

function timedOut(call: Call, timer: TimerName, at: number): Step {
  switch (timer) {
    case 'stream_wait':
      return call.phase === 'answered' ? endCall(call, 'media_idle', at) : { call, effects: [] };
    case 'media_idle':
      return watchMedia(call, at);
    case 'max_duration':
      return endCall(call, 'max_duration', at);
    case 'farewell':
      return call.agent.isLeaving ? endCall(call, 'agent_hung_up', at) : { call, effects: [] };
    case 'answer':
      return watchAgent(call, at);
    case 'grace':
      return call.phase === 'closing' ? publishIfReady({ ...call, untranscribed: [] }) : { call, effects: [] };
  }
}

/** The timer is not wound up again at every frame: when it rings it looks how long the line has been silent. */
function watchMedia(call: Call, at: number): Step {
  if (call.phase !== 'live') return { call, effects: [] };
  const left = call.media.lastFrameAt + call.plan.limits.mediaIdleMs - at;
  if (left <= 0) return endCall(call, 'media_idle', at);
  return { call, effects: [{ kind: 'set_timer', timer: 'media_idle', ms: left }] };
}

function handOver(call: Call): Step {
  if (call.phase !== 'ended' || call.end === null) return { call, effects: [] };
  return {
    call: { ...call, phase: 'published' },
    effects: [{ kind: 'hand_over', event: callEnded(call, call.end) }],
  };
}
