import type { LiveTurn } from '@pipeline/contracts';
import type { RealtimeClientEvent } from 'openai/resources/realtime/realtime';
import { z } from 'zod';
import type { AgentEvent, AgentSession } from '../agent.ts';
import { audioMs, isBase64 } from './mulaw.ts';

/** The GA shapes of OpenAI's Realtime API, in both directions. */

/** What the session says besides what the call wants to know. */
export type ServerReport =
  | AgentEvent
  | { readonly kind: 'updated' }
  /** `eventId` names the event of ours that it is about, if any. */
  | { readonly kind: 'error'; readonly code: string; readonly eventId: string | null };

const AUDIO_DELTA = 'response.output_audio.delta';
const TEXT_DELTA = 'response.output_audio_transcript.delta';
const MAX_ID_CHARS = 200;
const MAX_TEXT_CHARS = 1_000_000;
const itemId = z.string().min(1).max(MAX_ID_CHARS);
const textSchema = z.string().max(MAX_TEXT_CHARS);
/** A day, in milliseconds: no call is longer. What is beyond it is a time that nobody knows. */
const MAX_START_MS = 86_400_000;
const startSchema = z
  .number()
  .min(0)
  .transform((ms) => (ms <= MAX_START_MS ? ms : null));
const audioSchema = z.string().refine(isBase64);

/** Items that we wrote into a new session ourselves; what it reports of them is no news. */
const SEED = 'seed_';

/** Every event that we read, by its type. Others, and unknown keys, are ignored. */
const READERS: Readonly<Record<string, z.ZodType<ServerReport | null>>> = {
  'session.updated': reader({}, () => ({ kind: 'updated' })),
  'input_audio_buffer.speech_started': reader({ item_id: itemId, audio_start_ms: startSchema }, (event) => ({
    kind: 'caller_started',
    itemId: event.item_id,
    atMs: event.audio_start_ms,
  })),
  'input_audio_buffer.speech_stopped': reader({ item_id: itemId }, (event) => ({
    kind: 'caller_stopped',
    itemId: event.item_id,
  })),
  'conversation.item.input_audio_transcription.delta': reader({ item_id: itemId, delta: textSchema }, (event) => ({
    kind: 'caller_text',
    itemId: event.item_id,
    text: event.delta,
    isFinal: false,
  })),
  'conversation.item.input_audio_transcription.completed': reader(
    { item_id: itemId, transcript: textSchema },
    (event) => ({ kind: 'caller_text', itemId: event.item_id, text: event.transcript, isFinal: true }),
  ),
  'conversation.item.input_audio_transcription.failed': reader({ item_id: itemId }, (event) => ({
    kind: 'caller_text_failed',
    itemId: event.item_id,
  })),
  'conversation.item.added': reader(
    {
      previous_item_id: itemId.nullish(),
      item: z.looseObject({ id: itemId, type: z.string(), role: z.string().optional() }),
    },
    ({ item, previous_item_id }) =>
      item.id.startsWith(SEED)
        ? null
        : { kind: 'item_added', itemId: item.id, previousItemId: previous_item_id, speaker: speakerOf(item.role) },
  ),
  'response.created': reader({}, () => ({ kind: 'agent_response_started' })),
  [AUDIO_DELTA]: reader({ item_id: itemId, delta: audioSchema }, (event) => ({
    kind: 'agent_audio',
    itemId: event.item_id,
    payload: event.delta,
    ms: audioMs(event.delta),
  })),
  'response.output_audio.done': reader({ item_id: itemId }, (event) => ({
    kind: 'agent_audio_done',
    itemId: event.item_id,
  })),
  [TEXT_DELTA]: reader({ item_id: itemId, delta: textSchema }, (event) => ({
    kind: 'agent_text',
    itemId: event.item_id,
    text: event.delta,
    isFinal: false,
  })),
  'response.output_audio_transcript.done': reader({ item_id: itemId, transcript: textSchema }, (event) => ({
    kind: 'agent_text',
    itemId: event.item_id,
    text: event.transcript,
    isFinal: true,
  })),
  // A call of the tool that the caller cut short is incomplete: there is something left to say.
  'response.output_item.done': reader(
    { item: z.looseObject({ type: z.string(), name: z.string().optional(), status: z.string().nullish() }) },
    ({ item: { type, name, status } }) =>
      type === 'function_call' && name === END_CALL && status !== 'incomplete' ? { kind: 'agent_leaves' } : null,
  ),
  'response.done': reader({ response: z.looseObject({ status: z.string().nullish() }) }, ({ response }) => ({
    kind: 'agent_response_done',
    hasFailed: response.status === 'failed',
  })),
  error: reader(
    {
      error: z.looseObject({ code: z.string().nullish(), type: z.string().nullish(), event_id: z.string().nullish() }),
    },
    ({ error }) => ({
      kind: 'error',
      code: (error.code ?? error.type ?? 'unknown').slice(0, 64),
      eventId: error.event_id ?? null,
    }),
  ),
};

const typeSchema = z.looseObject({ type: z.string() });

/** Reads one frame of the session. `null` for what does not concern us; throws when it is not what it says to be. */
export function readServerEvent(frame: string): ServerReport | null {
  const event: unknown = JSON.parse(frame);
  return readPiece(event) ?? readBySchema(event);
}

/** The same by the schemas alone: what `readPiece` is held against. */
export function readBySchema(event: unknown): ServerReport | null {
  const { type } = typeSchema.parse(event);
  const known = Object.hasOwn(READERS, type) ? READERS[type] : undefined;
  return known === undefined ? null : known.parse(event);
}

/**
 * A piece of what the agent says, in sound or in words, by hand, because these come most and are largest: it takes what their schemas
 * take. Whatever it does not take is `null`, so that the schema decides and says what is wrong.
 */
function readPiece(event: unknown): ServerReport | null {
  if (typeof event !== 'object' || event === null || !('type' in event && 'item_id' in event && 'delta' in event))
    return null;
  const { type, item_id: named, delta } = event;
  if (typeof named !== 'string' || named.length === 0 || named.length > MAX_ID_CHARS) return null;
  if (typeof delta !== 'string') return null;
  if (type === AUDIO_DELTA && isBase64(delta))
    return { kind: 'agent_audio', itemId: named, payload: delta, ms: audioMs(delta) };
  if (type === TEXT_DELTA && delta.length <= MAX_TEXT_CHARS)
    return { kind: 'agent_text', itemId: named, text: delta, isFinal: false };
  return null;
}

const END_CALL = 'end_call';
/** The transcription models that take keywords; others would refuse the whole session. */
const KEYWORD_MODELS = /^gpt-(live-)?transcribe/;

/** The first event of a session. Keys that are not sent keep the provider's default. */
export function sessionUpdate(session: AgentSession, transcriptionModel: string): RealtimeClientEvent {
  const language = session.language.split('-')[0] ?? session.language;
  const takesKeywords = KEYWORD_MODELS.test(transcriptionModel) && session.keywords.length > 0;
  const keywords = takesKeywords ? { keywords: [...session.keywords] } : {};
  return {
    type: 'session.update',
    session: {
      type: 'realtime',
      instructions: `${session.instructions}\n\nSpeak the language "${session.language}" unless the caller asks for another one.`,
      output_modalities: ['audio'],
      audio: {
        input: {
          format: { type: 'audio/pcmu' },
          transcription: { model: transcriptionModel, language, ...keywords },
          turn_detection: { type: 'server_vad', create_response: true, interrupt_response: true },
        },
        output: { format: { type: 'audio/pcmu' }, voice: session.voice },
      },
      tools: [
        {
          type: 'function',
          name: END_CALL,
          description: 'Hangs up. Use it once the conversation is over and both sides have said goodbye.',
          parameters: { type: 'object', properties: {} },
        },
      ],
      tool_choice: 'auto',
    },
  };
}

/**
 * Whether the session still hears: an update of nothing changes nothing (keys that are not sent keep their value), and only the
 * session itself can answer it, with `session.updated`.
 */
export const hearingQuestion: RealtimeClientEvent = {
  type: 'session.update',
  event_id: 'still_there',
  session: { type: 'realtime' },
};

/** Whether that is what an error is about. */
export function isHearingQuestion(eventId: string | null): boolean {
  return eventId === hearingQuestion.event_id;
}

/** One turn of an earlier session, told to a new one. */
export function seedItem(turn: LiveTurn, index: number): RealtimeClientEvent {
  const { speaker, text } = turn;
  const message = { id: `${SEED}${index}`, type: 'message' } as const;
  return {
    type: 'conversation.item.create',
    item:
      speaker === 'agent'
        ? { ...message, role: 'assistant', content: [{ type: 'output_text', text }] }
        : { ...message, role: 'user', content: [{ type: 'input_text', text }] },
  };
}

function speakerOf(role: string | undefined): 'caller' | 'agent' | null {
  return role === 'user' ? 'caller' : role === 'assistant' ? 'agent' : null;
}

function reader<Shape extends z.ZodRawShape>(
  shape: Shape,
  translate: (event: z.output<z.ZodObject<Shape>>) => ServerReport | null,
): z.ZodType<ServerReport | null> {
  return z.object(shape).transform(translate);
}
