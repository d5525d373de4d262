import { MAX_WAITING, type Call, type CallEffect, type CallInput, type Step } from './call.ts';
import { endCall } from './ending.ts';
import { markEchoed, unplayedMs } from './playback.ts';

type MediaInput = Extract<CallInput, { kind: 'media_started' | 'media_audio' | 'media_mark' }>;

/** What comes over the media stream while the call lasts. */
export function reduceMedia(call: Call, input: MediaInput, at: number): Step {
  switch (input.kind) {
    case 'media_started':
      return started(call, at);
    case 'media_audio':
      return heard(call, input, at);
    case 'media_mark':
      return leaveIfSilent({ ...call, playback: markEchoed(call.playback, input.name) }, at);
  }
}

/** Ends the call of an agent that has decided to hang up, once its last word has been played. */
export function leaveIfSilent(call: Call, at: number): Step {
  const isDone = call.agent.isLeaving && !call.agent.isResponding && unplayedMs(call.playback) === 0;
  return isDone ? endCall(call, 'agent_hung_up', at) : { call, effects: [] };
}

function started(call: Call, at: number): Step {
  if (call.phase !== 'answered') return { call, effects: [] };
  const { limits, startedAt, agent } = call.plan;
  const effects: CallEffect[] = [
    { kind: 'set_timer', timer: 'media_idle', ms: limits.mediaIdleMs },
    { kind: 'set_timer', timer: 'max_duration', ms: Math.max(0, startedAt + limits.maxCallMs - at) },
    { kind: 'connect_agent', session: { ...agent, history: [] } },
  ];
  const media = { ...call.media, wasOpen: true, lastFrameAt: at };
  return { call: { ...call, phase: 'live', media, agent: { ...call.agent, state: 'connecting' } }, effects };
}

function heard(call: Call, frame: { payload: string; ms: number }, at: number): Step {
  if (call.phase !== 'live') return { call, effects: [] };
  const media = { wasOpen: true, receivedMs: call.media.receivedMs + frame.ms, lastFrameAt: at };
  if (call.agent.state === 'ready') {
    return { call: { ...call, media }, effects: [{ kind: 'append_audio', payload: frame.payload }] };
  }
  const waiting = [...call.waiting, frame.payload].slice(-MAX_WAITING);
  return { call: { ...call, media, waiting }, effects: [] };
}
