import { interrupt } from '../live-transcript.ts';
import type { Call, CallEffect, Step } from './call.ts';
import { callEnded } from './call-ended.ts';
import type { EndReason } from './end-reasons.ts';
import { cutShort } from './playback.ts';

/**
 * Ends the call, the first time it is asked to. The media stream closes at once; the agent's session stays open while
 * transcriptions of the caller are still to come, so that the last words are not lost.
 */
export function endCall(call: Call, reason: EndReason, at: number): Step {
  if (call.phase !== 'answered' && call.phase !== 'live') return { call, effects: [] };
  const effects: CallEffect[] = call.phase === 'live' ? [{ kind: 'close_media' }] : [];
  const { playback, cuts } = cutShort(call.playback);
  const transcript = interrupt(call.transcript, cuts);
  const ended: Call = { ...call, phase: 'closing', end: { reason, at }, waiting: [], playback, transcript };
  if (call.speaking !== null) effects.push({ kind: 'commit_audio' });
  const step = publishIfReady(ended);
  if (step.call.phase === 'ended') return { call: step.call, effects: [...effects, ...step.effects] };
  effects.push({ kind: 'set_timer', timer: 'grace', ms: call.plan.limits.transcriptionGraceMs });
  return { call: ended, effects };
}

/** Publishes a call that has ended and waits for no transcription any more. */
export function publishIfReady(call: Call): Step {
  if (call.phase !== 'closing' || call.end === null || call.untranscribed.length > 0) return { call, effects: [] };
  const effects: CallEffect[] = call.agent.state === 'none' ? [] : [{ kind: 'close_agent' }];
  effects.push({ kind: 'publish', event: callEnded(call, call.end) });
  return { call: { ...call, phase: 'ended' }, effects };
}
