import type { AgentEvent } from '../agent.ts';
import {
  addText,
  interrupt,
  isAnswerDue,
  placeItem,
  setText,
  turnsOf,
  type LiveTranscript,
} from '../live-transcript.ts';
import type { Call, CallEffect, Step } from './call.ts';
import { endCall, publishIfReady } from './ending.ts';
import { audioDone, cutShort, noMoreAudio, sendAudio, unplayedMs } from './playback.ts';
import { leaveIfSilent } from './reduce-media.ts';

/** So many responses that fail one after another mean that the agent is gone, although its socket stands. */
const MAX_FAILURES = 3;

/** What the agent's session reports, while the call lasts and while its last transcriptions are awaited. */
export function reduceAgent(call: Call, event: AgentEvent, at: number): Step {
  if (call.phase !== 'live' && call.phase !== 'closing') return { call, effects: [] };
  switch (event.kind) {
    case 'agent_ready':
      return ready(call, at);
    case 'agent_lost':
      return lost(call, at, event.isLate === true);
    case 'agent_response_started':
      return { call: withAgent(call, { isResponding: true }), effects: [] };
    case 'agent_response_done':
      return responseDone(call, event.hasFailed, at);
    case 'agent_audio':
      return speaks(call, event);
    case 'agent_audio_done':
      return leaveIfSilent({ ...call, playback: audioDone(call.playback, event.itemId) }, at);
    case 'agent_leaves':
      return leaves(call, at);
    case 'caller_started':
      return callerStarted(call, event, at);
    case 'caller_stopped':
      return callerStopped(call, event.itemId, at);
    case 'agent_text':
    case 'caller_text':
    case 'caller_text_failed':
    case 'item_added':
      return wrote(call, event);
  }
}

/** The timer is not stopped when the agent speaks: when it rings it looks whether a word is owed, and since when. */
export function watchAgent(call: Call, at: number): Step {
  const { owesSince } = call.agent;
  if (call.phase !== 'live' || owesSince === null) return { call, effects: [] };
  const left = owesSince + call.plan.limits.answerMs - at;
  if (left > 0) return { call, effects: [{ kind: 'set_timer', timer: 'answer', ms: left }] };
  const step = lost(call, at);
  return { call: step.call, effects: [{ kind: 'close_agent', lostBy: 'mute' }, ...step.effects] };
}

/** From now on the agent owes a word. One that hangs up has the time of its farewell instead. */
function owing(call: Call, effects: readonly CallEffect[], at: number): Step {
  if (call.phase !== 'live' || call.agent.state !== 'ready' || call.agent.isLeaving) return { call, effects };
  const timer: CallEffect = { kind: 'set_timer', timer: 'answer', ms: call.plan.limits.answerMs };
  return { call: withAgent(call, { owesSince: at }), effects: [timer, ...effects] };
}

function ready(call: Call, at: number): Step {
  if (call.phase !== 'live' || call.agent.state !== 'connecting') return { call, effects: [] };
  const waited: CallEffect[] = call.waiting.map((payload) => ({ kind: 'append_audio', payload }));
  const hasGreeted = turnsOf(call.transcript).length > 0;
  const isDue = !hasGreeted || call.agent.owesAnswer;
  const first: CallEffect[] = isDue ? [{ kind: 'speak', text: hasGreeted ? null : call.plan.greeting }] : [];
  const effects = [...first, ...waited];
  const listening: Call = { ...withAgent(call, { state: 'ready' }), waiting: [] };
  return isDue ? owing(listening, effects, at) : { call: listening, effects };
}

/**
 * One reconnect in a call, at once; the new session is told what was said. Then the call ends: a mute line helps nobody. Of a session
 * that was lost for a while nobody knows what the caller said to it meanwhile, so the new one speaks first: two who wait for each
 * other wait for ever.
 */
function lost(call: Call, at: number, isLate = false): Step {
  const { hasReconnected, owesSince } = call.agent;
  const bereft: Call = { ...call, playback: noMoreAudio(call.playback), speaking: null, untranscribed: [] };
  const gone = withAgent(bereft, { state: 'gone', isResponding: false, owesSince: null });
  if (call.phase === 'closing') return publishIfReady(gone);
  if (call.agent.isLeaving) return leaveIfSilent(gone, at);
  if (hasReconnected) return endCall(gone, 'agent_lost', at);
  const session = { ...call.plan.agent, history: turnsOf(call.transcript) };
  const isCutOff = call.agent.isResponding || owesSince !== null;
  const owesAnswer = isLate || isCutOff || call.untranscribed.length > 0 || isAnswerDue(call.transcript);
  const offsetMs = call.media.receivedMs;
  const connecting = withAgent(gone, { state: 'connecting', hasReconnected: true, owesAnswer, offsetMs });
  return { call: connecting, effects: [{ kind: 'connect_agent', session }] };
}

function responseDone(call: Call, hasFailed: boolean, at: number): Step {
  const failures = hasFailed ? call.agent.failures + 1 : 0;
  const silenced = { ...call, playback: noMoreAudio(call.playback) };
  const quiet = withAgent(silenced, { isResponding: false, failures, owesSince: null });
  if (failures === 0 || call.phase !== 'live') return leaveIfSilent(quiet, at);
  if (failures >= MAX_FAILURES) return endCall(quiet, 'agent_lost', at);
  const isFirstWord = turnsOf(call.transcript).length === 0;
  return owing(quiet, [{ kind: 'speak', text: isFirstWord ? call.plan.greeting : null }], at);
}

function speaks(call: Call, audio: { itemId: string; payload: string; ms: number }): Step {
  if (call.phase !== 'live') return { call, effects: [] };
  const startMs = call.media.receivedMs + unplayedMs(call.playback);
  const { playback, mark } = sendAudio(call.playback, audio.itemId, audio.ms);
  const transcript = placeItem(call.transcript, { itemId: audio.itemId, speaker: 'agent', startMs });
  // What comes late of an item that was cut is no answer.
  if (mark === null) return { call: { ...call, playback, transcript }, effects: [] };
  const agent = call.agent.owesSince === null ? call.agent : { ...call.agent, owesSince: null };
  return {
    call: { ...call, agent, playback, transcript },
    effects: [{ kind: 'play_audio', payload: audio.payload, mark }],
  };
}

/** The tool may be used before the goodbye has been said, so the call ends when it has been heard, or after a while. */
function leaves(call: Call, at: number): Step {
  if (call.phase !== 'live' || call.agent.isLeaving) return { call, effects: [] };
  const step = leaveIfSilent(withAgent(call, { isLeaving: true, owesSince: null }), at);
  if (step.call.phase !== 'live') return step;
  return { call: step.call, effects: [{ kind: 'set_timer', timer: 'farewell', ms: call.plan.limits.farewellMs }] };
}

/** The session stops its response by itself; what Twilio has buffered and what the agent believes to have said is ours to cut. */
function callerStarted(call: Call, event: { itemId: string; atMs: number | null }, at: number): Step {
  const startMs = event.atMs === null ? call.media.receivedMs : call.agent.offsetMs + event.atMs;
  const { playback, cuts } = cutShort(call.playback);
  const placed = placeItem(call.transcript, { itemId: event.itemId, speaker: 'caller', startMs });
  const transcript = interrupt(placed, cuts);
  const untranscribed = [...call.untranscribed.filter((id) => id !== event.itemId), event.itemId];
  const listening = withAgent(call, { owesSince: null });
  const heard = { ...listening, playback, transcript, speaking: event.itemId, untranscribed };
  if (cuts.length === 0 || call.phase !== 'live') return { call: heard, effects: [] };
  if (call.agent.isLeaving) return leaveIfSilent(heard, at);
  const truncations = cuts.map((cut) => ({ kind: 'truncate', ...cut }) as const);
  return { call: heard, effects: [{ kind: 'clear_audio' }, ...truncations] };
}

/** The session answers by itself when the caller has finished. */
function callerStopped(call: Call, itemId: string, at: number): Step {
  const speaking = call.speaking === itemId ? null : call.speaking;
  return owing({ ...call, speaking }, [], at);
}

type Words = Extract<AgentEvent, { kind: 'agent_text' | 'caller_text' | 'caller_text_failed' | 'item_added' }>;

function wrote(call: Call, event: Words): Step {
  const isAgent = event.kind === 'agent_text' || (event.kind === 'item_added' && event.speaker === 'agent');
  const startMs = call.media.receivedMs + (isAgent ? unplayedMs(call.playback) : 0);
  const transcript = write(call.transcript, event, startMs);
  const isSettled = event.kind === 'caller_text_failed' || (event.kind === 'caller_text' && event.isFinal);
  if (!isSettled) return { call: { ...call, transcript }, effects: [] };
  const untranscribed = call.untranscribed.filter((itemId) => itemId !== event.itemId);
  const speaking = call.speaking === event.itemId ? null : call.speaking;
  return publishIfReady({ ...call, transcript, untranscribed, speaking });
}

function write(transcript: LiveTranscript, event: Words, startMs: number): LiveTranscript {
  switch (event.kind) {
    case 'item_added':
      return placeItem(transcript, { ...event, startMs });
    case 'caller_text_failed':
      return transcript;
    case 'caller_text':
    case 'agent_text': {
      const speaker = event.kind === 'agent_text' ? 'agent' : 'caller';
      const report = { itemId: event.itemId, text: event.text, speaker, startMs } as const;
      return event.isFinal ? setText(transcript, report) : addText(transcript, report);
    }
  }
}

function withAgent(call: Call, change: Partial<Call['agent']>): Call {
  return { ...call, agent: { ...call.agent, ...change } };
}
