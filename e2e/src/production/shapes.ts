import { z } from 'zod';

/**
 * The frames as Twilio's and OpenAI's documents give them, written down once more, apart from the product. What we send is strict:
 * a key that no document has would be refused, or ignored in silence. What we receive may hold more.
 */

const sid = (prefix: string) => z.string().regex(new RegExp(`^${prefix}[0-9a-f]{32}$`));
const wholeNumber = z.string().regex(/^\d+$/);
const base64 = z.base64().min(4);
const id = z.string().min(1);
const place = { item_id: id, content_index: z.literal(0) };

/** `AC`... and so on are texts, numbers in frames are texts too. */
const numbered = { sequenceNumber: wholeNumber, streamSid: sid('MZ') };
export const FROM_TWILIO = z.discriminatedUnion('event', [
  z.looseObject({ event: z.literal('connected'), protocol: z.literal('Call'), version: z.literal('1.0.0') }),
  z.looseObject({
    ...numbered,
    event: z.literal('start'),
    start: z.looseObject({
      accountSid: sid('AC'),
      callSid: sid('CA'),
      streamSid: sid('MZ'),
      tracks: z.tuple([z.literal('inbound')]),
      mediaFormat: z.strictObject({
        encoding: z.literal('audio/x-mulaw'),
        sampleRate: z.literal(8_000),
        channels: z.literal(1),
      }),
      customParameters: z.strictObject({ token: z.string().min(32) }),
    }),
  }),
  z.looseObject({
    ...numbered,
    event: z.literal('media'),
    media: z.looseObject({ track: z.literal('inbound'), chunk: wholeNumber, timestamp: wholeNumber, payload: base64 }),
  }),
  z.looseObject({ ...numbered, event: z.literal('mark'), mark: z.looseObject({ name: id }) }),
  z.looseObject({
    ...numbered,
    event: z.literal('stop'),
    stop: z.looseObject({ accountSid: sid('AC'), callSid: sid('CA') }),
  }),
]);

const streamSid = sid('MZ');
export const TO_TWILIO = z.discriminatedUnion('event', [
  z.strictObject({ event: z.literal('media'), streamSid, media: z.strictObject({ payload: base64 }) }),
  z.strictObject({ event: z.literal('mark'), streamSid, mark: z.strictObject({ name: id }) }),
  z.strictObject({ event: z.literal('clear'), streamSid }),
]);

const VOICES = ['alloy', 'ash', 'ballad', 'coral', 'echo', 'sage', 'shimmer', 'verse', 'marin', 'cedar'] as const;
const mulaw = z.strictObject({ type: z.literal('audio/pcmu') });
const session = z.strictObject({
  type: z.literal('realtime'),
  instructions: z.string().min(1),
  output_modalities: z.tuple([z.literal('audio')]),
  audio: z.strictObject({
    input: z.strictObject({
      format: mulaw,
      transcription: z.strictObject({
        model: z.literal('gpt-transcribe'),
        language: z.string().regex(/^[a-z]{2}$/),
        keywords: z.array(z.string()).optional(),
      }),
      turn_detection: z.strictObject({
        type: z.literal('server_vad'),
        create_response: z.literal(true),
        interrupt_response: z.literal(true),
      }),
    }),
    output: z.strictObject({ format: mulaw, voice: z.enum(VOICES) }),
  }),
  tools: z.array(
    z.strictObject({
      type: z.literal('function'),
      name: z.literal('end_call'),
      description: z.string(),
      parameters: z.object({ type: z.literal('object') }),
    }),
  ),
  tool_choice: z.literal('auto'),
});
/** A turn of the conversation so far, told to a new session. Each role has its own type of text. */
const turn = z.discriminatedUnion('role', [
  z.strictObject({ ...told('user'), content: z.tuple([words('input_text')]) }),
  z.strictObject({ ...told('assistant'), content: z.tuple([words('output_text')]) }),
]);
export const TO_OPENAI = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('session.update'),
    event_id: z.string().optional(),
    // An update of nothing asks whether the session still hears.
    session: z.union([session, z.strictObject({ type: z.literal('realtime') })]),
  }),
  z.strictObject({ type: z.literal('conversation.item.create'), item: turn }),
  z.strictObject({ type: z.literal('input_audio_buffer.append'), audio: base64 }),
  z.strictObject({ type: z.literal('input_audio_buffer.commit') }),
  z.strictObject({
    type: z.literal('response.create'),
    response: z.strictObject({ instructions: z.string() }).optional(),
  }),
  z.strictObject({
    type: z.literal('conversation.item.truncate'),
    ...place,
    audio_end_ms: z.int().min(0),
  }),
]);

const item = z.looseObject({ id, type: z.string() });
const output = { ...place, response_id: id, output_index: z.int() };
const SERVER_EVENTS = {
  'session.created': { session: z.looseObject({}) },
  'session.updated': { session: z.looseObject({ type: z.literal('realtime') }) },
  'input_audio_buffer.speech_started': { audio_start_ms: z.int(), item_id: id },
  'input_audio_buffer.speech_stopped': { audio_end_ms: z.int(), item_id: id },
  'input_audio_buffer.committed': { item_id: id, previous_item_id: id.nullable() },
  'conversation.item.added': { item, previous_item_id: id.nullable() },
  'conversation.item.done': { item, previous_item_id: id.nullable() },
  'conversation.item.truncated': { ...place, audio_end_ms: z.int() },
  'conversation.item.input_audio_transcription.delta': { ...place, delta: z.string() },
  'conversation.item.input_audio_transcription.completed': { ...place, transcript: z.string() },
  'response.created': { response: z.looseObject({ id, status: z.literal('in_progress') }) },
  'response.output_item.added': { response_id: id, output_index: z.int(), item },
  'response.output_item.done': { response_id: id, output_index: z.int(), item },
  'response.content_part.added': { ...output, part: z.looseObject({}) },
  'response.content_part.done': { ...output, part: z.looseObject({}) },
  'response.output_audio.delta': { ...output, delta: base64 },
  'response.output_audio.done': output,
  'response.output_audio_transcript.delta': { ...output, delta: z.string() },
  'response.output_audio_transcript.done': { ...output, transcript: z.string() },
  'response.done': { response: z.looseObject({ id, status: z.enum(['completed', 'cancelled']) }) },
  'rate_limits.updated': { rate_limits: z.array(z.looseObject({ name: z.string() })) },
} as const;

/** An event of the session, by its type. Throws for a type that no document has. */
export function readOpenAiEvent(text: string): { readonly type: string; readonly [key: string]: unknown } {
  const { type } = z.looseObject({ event_id: id, type: z.string() }).parse(JSON.parse(text));
  const shapes: Readonly<Record<string, z.ZodRawShape>> = SERVER_EVENTS;
  const shape = shapes[type];
  if (shape === undefined) throw new Error(`no document has ${type}`);
  return z.looseObject({ type: z.string(), ...shape }).parse(JSON.parse(text));
}

/** The form of the voice webhook and of the status callback. */
export const WEBHOOK_FORM = z.looseObject({
  AccountSid: sid('AC'),
  ApiVersion: z.literal('2010-04-01'),
  CallSid: sid('CA'),
  CallStatus: z.enum(['ringing', 'in-progress', 'completed']),
  Direction: z.literal('inbound'),
  From: z.string(),
  To: z.string(),
});

function told<Role extends string>(role: Role) {
  return { id: z.string().min(1).max(64), type: z.literal('message'), role: z.literal(role) };
}

function words<Type extends string>(type: Type) {
  return z.strictObject({ type: z.literal(type), text: z.string().min(1) });
}
