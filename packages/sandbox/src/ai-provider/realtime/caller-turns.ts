import { mulawDecode } from '../../speech/mulaw.ts';
import { badRequest } from '../api-error.ts';
import { excerpt } from '../ledger.ts';
import { createCallerAudio, type CallerTurn } from './caller-audio.ts';
import type { SessionContext } from './context.ts';
import { newId } from './ids.ts';
import type { Item } from './items.ts';
import type { Speaker } from './speaker.ts';
import { transcribe } from './transcribe.ts';

/** The input audio buffer of a session: what its client events do. */
export type CallerTurns = {
  append(base64: string): void;
  commit(): void;
  clear(): void;
};

/** The silence after which a semantic detector is sure. */
const SEMANTIC_SILENCE_MS = 500;
const SEMANTIC_PADDING_MS = 300;

/** Turns the caller's audio into turns of the conversation, tells the client of each, and lets the agent answer. */
export function createCallerTurns(context: SessionContext, speaker: Speaker): CallerTurns {
  const { send } = context;
  let itemId: string | null = null;

  const audio = createCallerAudio({
    onStart: (startMs) => {
      context.isDeaf ||=
        context.faults.take('realtime', { model: context.settings.model, text: '' }, ['deaf']) !== undefined;
      const detection = context.settings.audio.input.turn_detection;
      const padding = detection?.type === 'server_vad' ? detection.prefix_padding_ms : SEMANTIC_PADDING_MS;
      itemId = newId('item');
      const from = Math.max(0, startMs - padding);
      send({ type: 'input_audio_buffer.speech_started', audio_start_ms: from, item_id: itemId });
      if (detection?.interrupt_response === true) speaker.cancel('turn_detected');
    },
    onTurn: (turn) => {
      send({ type: 'input_audio_buffer.speech_stopped', audio_end_ms: turn.stopMs, item_id: itemId });
      take(turn);
      if (context.settings.audio.input.turn_detection?.create_response === true) speaker.answer(turn.text);
    },
  });

  const take = (turn: CallerTurn): void => {
    const item = newTurnItem(itemId ?? newId('item'));
    itemId = null;
    const previous = context.items.put(item);
    send({ type: 'input_audio_buffer.committed', previous_item_id: previous, item_id: item.id });
    send({ type: 'conversation.item.added', previous_item_id: previous, item });
    send({ type: 'conversation.item.done', previous_item_id: previous, item });
    context.lines.hear(turn.text);
    context.entry.dialogueId = context.lines.dialogueId;
    context.entry.text = excerpt(`${context.entry.text}${turn.text}\n`);
    transcribeLater(context, item, turn.text);
  };

  return {
    append: (base64) => {
      const { format, turn_detection: detection } = context.settings.audio.input;
      if (format.type !== 'audio/pcmu')
        throw badRequest(`The sandbox hears audio/pcmu only, not ${format.type}.`, 'audio');
      const bytes = Buffer.from(base64, 'base64');
      context.entry.bytes += bytes.length;
      const silenceMs = detection?.type === 'server_vad' ? detection.silence_duration_ms : SEMANTIC_SILENCE_MS;
      audio.push(mulawDecode(bytes), detection === null ? null : silenceMs);
    },
    commit: () => {
      const turn = audio.commit();
      if (turn !== null) return take(turn);
      const message = 'Error committing input audio buffer: buffer too small. Expected at least 100ms of audio.';
      throw badRequest(message, undefined, 'input_audio_buffer_commit_empty');
    },
    clear: () => {
      audio.clear();
      itemId = null;
      send({ type: 'input_audio_buffer.cleared' });
    },
  };
}

function newTurnItem(id: string): Item {
  const content = [{ type: 'input_audio', transcript: null }];
  return { id, object: 'realtime.item', type: 'message', status: 'completed', role: 'user', content };
}

/** The transcription has a model of its own: it comes when it is ready, often after the answer has begun. */
function transcribeLater(context: SessionContext, item: Item, text: string): void {
  const { settings, faults, timers, pace, items, send } = context;
  if (settings.audio.input.transcription === null) return;
  const strikes = ['transcription_failed', 'transcription_late'] as const;
  const fault = faults.take('realtime', { model: settings.model, text }, strikes);
  const [lateMs, failure] = fault?.kind === 'transcription_late' ? [fault.ms, undefined] : [0, fault];
  timers.after(pace.transcriptionDelayMs + lateMs, () => transcribe(item, text, failure, items).forEach(send));
}
