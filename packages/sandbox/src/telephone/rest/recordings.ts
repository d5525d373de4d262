import { isFinal, type Call, type CallRecording } from '../call/call.ts';
import { downloaded, isRefused, lookedUp, type RecordingBehaviour } from './recording-behaviour.ts';
import { notFound, restError, type RestAnswer, type RestRequest, type RestState } from './answer.ts';
import { page, recordingRow } from './rows.ts';

/** The recordings of one call. A call that nobody knows has none. */
export function listRecordings(state: RestState, request: RestRequest, sid: string): RestAnswer {
  const kept = state.kept.list(request, sid);
  if (kept !== null) return kept;
  const { url } = request;
  const call = state.calls.get(sid);
  const recording = call?.recording ?? null;
  const at = { url, size: 50, number: 0, next: null };
  if (call === undefined || recording === null || recording.deleted) {
    return { status: 200, json: page('recordings', [], at) };
  }
  const behaviour = behaviourOf(recording, state);
  const refused = refusal(recording, behaviour, 'lookup');
  if (refused !== null) return refused;
  const status = statusOf(call, recording, behaviour);
  const shown = { status, channels: channelsOf(recording, behaviour) };
  const rows = status === 'nothing' ? [] : [recordingRow(call, recording, shown, state.options.accountSid)];
  return { status: 200, json: page('recordings', rows, at) };
}

/** The audio. Two channels only by `RequestedChannels=2`; without it a mix of both. */
export async function getMedia(state: RestState, request: RestRequest, sid: string): Promise<RestAnswer> {
  return (await state.kept.media(request, sid)) ?? recordedMedia(state, request, sid);
}

function recordedMedia(state: RestState, { url }: RestRequest, sid: string): RestAnswer {
  const { call, recording } = find(state, sid);
  if (call === undefined || recording === undefined) return notFound(sid);
  const behaviour = behaviourOf(recording, state);
  const refused = refusal(recording, behaviour, 'media');
  if (refused !== null) return refused;
  if (!isFinal(call.status)) return notFound(sid);
  recording.downloads += 1;
  const result = downloaded(behaviour, recording.downloads);
  if (result === 'not found') return notFound(sid);
  const wanted = url.searchParams.get('RequestedChannels') === '2' ? 2 : 1;
  if (wanted > channelsOf(recording, behaviour)) {
    return restError(400, 16_113, 'Requested number of channels is not available');
  }
  const file = recording.audio.wav(wanted, behaviour.corruption);
  return { status: 200, file, isTruncated: result === 'truncated' };
}

/** One recording's row. */
export function showRecording(state: RestState, _request: RestRequest, sid: string): RestAnswer {
  const { call, recording } = find(state, sid);
  if (call === undefined || recording === undefined) return notFound(sid);
  const behaviour = behaviourOf(recording, state);
  const status = isFinal(call.status) ? (behaviour.outcome ?? 'completed') : 'in-progress';
  const shown = { status, channels: channelsOf(recording, behaviour) };
  return { status: 200, json: recordingRow(call, recording, shown, state.options.accountSid) };
}

/** Deletes row and audio. */
export function deleteRecording(state: RestState, _request: RestRequest, sid: string): RestAnswer {
  const { recording } = find(state, sid);
  if (recording === undefined) return notFound(sid);
  recording.deleted = true;
  return { status: 204 };
}

function find(state: RestState, sid: string): { call?: Call; recording?: CallRecording } {
  for (const call of state.calls.values()) {
    if (call.recording?.sid === sid && !call.recording.deleted) return { call, recording: call.recording };
  }
  return {};
}

function behaviourOf(recording: CallRecording, state: RestState): RecordingBehaviour {
  return recording.behaviour ?? state.behaviour();
}

function channelsOf(recording: CallRecording, behaviour: RecordingBehaviour): 1 | 2 {
  return behaviour.mono === true ? 1 : recording.channels;
}

function statusOf(call: Call, recording: CallRecording, behaviour: RecordingBehaviour): string {
  if (!isFinal(call.status)) return 'in-progress';
  recording.lookups += 1;
  return lookedUp(behaviour, { lookups: recording.lookups, msSinceEnd: Date.now() - (call.endedAt ?? 0) });
}

function refusal(recording: CallRecording, behaviour: RecordingBehaviour, kind: 'lookup' | 'media'): RestAnswer | null {
  if (behaviour.refusal === undefined || !isRefused(behaviour, kind, recording.refusals)) return null;
  recording.refusals += 1;
  const { status, retryAfterSec } = behaviour.refusal;
  const headers = retryAfterSec === undefined ? {} : { 'retry-after': String(retryAfterSec) };
  return { ...restError(status, REFUSAL_CODES[status], 'Refused by the sandbox'), headers };
}

const REFUSAL_CODES = { 401: 20_003, 403: 20_403, 429: 20_429, 500: 20_500, 503: 20_503 } as const;
