import { WebSocket } from 'ws';
import { modulate } from '../speech/modulate.ts';
import { mulawEncode } from '../speech/mulaw.ts';
import { writeWav } from '../speech/wav.ts';
import type { AiProvider } from './ai-provider.ts';

/** Clients of the provider for its tests: plain HTTP and a plain socket. */

export const API_KEY = 'sk-sandbox-test';
const AUTHORIZATION = { authorization: `Bearer ${API_KEY}` };

/** An answer of the HTTP API. `body` is parsed if it is JSON; `text` is what it said, wherever the route has that. */
export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
  readonly text: string;
};

export async function ask(provider: AiProvider, path: string, body?: object, signal?: AbortSignal): Promise<Answer> {
  const headers = { ...AUTHORIZATION, 'content-type': 'application/json' };
  const init =
    body === undefined ? { headers: AUTHORIZATION } : { method: 'POST', headers, body: JSON.stringify(body) };
  return answerOf(await fetch(`${provider.url}${path}`, { ...init, signal: signal ?? null }));
}

/** Sends a file to be transcribed; fields with several values are repeated. */
export async function transcribe(
  provider: AiProvider,
  file: Uint8Array | null,
  fields: Record<string, string | string[]> = {},
  name = 'speech.wav',
): Promise<Answer> {
  const form = new FormData();
  const all = { model: 'gpt-transcribe', ...fields };
  for (const [field, values] of Object.entries(all)) for (const value of [values].flat()) form.append(field, value);
  if (file !== null) form.append('file', new File([new Uint8Array(file)], name, { type: 'audio/wav' }));
  return answerOf(
    await fetch(`${provider.url}/audio/transcriptions`, { method: 'POST', headers: AUTHORIZATION, body: form }),
  );
}

/** A mono WAV that says the texts with half a second around each. */
export function speech(...texts: string[]): Buffer {
  return writeWav({ sampleRate: 8_000, channels: [spoken(...texts)] });
}

/** Samples that say the texts with half a second around each. */
export function spoken(...texts: string[]): Int16Array {
  const pause = new Int16Array(4_000);
  return Int16Array.from([pause, ...texts.flatMap((text) => [modulate(text), pause])].flatMap((part) => [...part]));
}

/** The parts of server events that the tests look at. */
export type ServerEvent = {
  readonly type: string;
  readonly event_id: string;
  readonly item_id: string;
  readonly previous_item_id: string | null;
  readonly audio_start_ms: number;
  readonly audio_end_ms: number;
  readonly delta: string;
  readonly transcript: string;
  readonly session: { readonly id: string; readonly audio: object };
  readonly item: {
    readonly id: string;
    readonly type: string;
    readonly role?: string;
    readonly name?: string;
    readonly status: string;
  };
  readonly response: {
    readonly id: string;
    readonly status: string;
    readonly output: readonly object[];
    readonly status_details: object | null;
  };
  readonly error: { readonly code: string | null; readonly param: string | null; readonly event_id: string | null };
};

/** A realtime session's other end. */
export type RealtimeClient = {
  readonly events: readonly ServerEvent[];
  send(event: object): void;
  /** Appends speech in frames of 20 ms, and the silence that ends the turn. */
  say(text: string): void;
  append(samples: Int16Array): void;
  /** The first event of that type that was not waited for before. */
  next(type: string): Promise<ServerEvent>;
  /** Resolved when the server has read all that was sent before. */
  pong(): Promise<void>;
  /** The code with which the socket closed. */
  readonly closed: Promise<number>;
  close(): void;
};

export async function connect(
  provider: AiProvider,
  headers: Record<string, string> = AUTHORIZATION,
): Promise<RealtimeClient> {
  const socket = new WebSocket(`${provider.url.replace('http', 'ws')}/realtime?model=gpt-realtime-2.1`, { headers });
  const events: ServerEvent[] = [];
  let seen = 0;
  let wake = (): void => {};
  socket.on('message', (frame) => {
    // What the tests expect of an event is what they check.
    events.push(parsed((frame as Buffer).toString('utf8')) as ServerEvent);
    wake();
  });
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  await new Promise<void>((resolve, reject) => socket.on('open', resolve).on('error', reject));
  const append = (samples: Int16Array): void => {
    for (let at = 0; at < samples.length; at += 160) {
      const audio = mulawEncode(samples.subarray(at, at + 160)).toString('base64');
      socket.send(JSON.stringify({ type: 'input_audio_buffer.append', audio }));
    }
  };
  return {
    events,
    closed,
    append,
    send: (event) => socket.send(JSON.stringify(event)),
    say: (text) => append(Int16Array.from([...modulate(text), ...new Int16Array(6_000)])),
    next: async (type) => {
      for (;;) {
        const found = events.slice(seen).find((event) => event.type === type);
        if (found !== undefined) {
          seen = events.indexOf(found) + 1;
          return found;
        }
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    pong: () =>
      new Promise((resolve) => {
        socket.once('pong', () => resolve());
        socket.ping();
      }),
    close: () => socket.terminate(),
  };
}

/** The tool with which the agent ends a call. */
export const END_CALL_TOOL = {
  type: 'function',
  name: 'end_call',
  description: 'Hangs up.',
  parameters: { type: 'object', properties: {} },
};

/** The `session.update` of a telephone agent, with some of its input settings changed. */
export function sessionUpdate(input: object = {}): object {
  const format = { type: 'audio/pcmu' };
  const transcription = { model: 'gpt-transcribe', language: 'he' };
  return {
    type: 'session.update',
    session: {
      type: 'realtime',
      instructions: 'Answer the phone.',
      output_modalities: ['audio'],
      audio: {
        input: { format, transcription, turn_detection: { type: 'server_vad' }, ...input },
        output: { format, voice: 'marin' },
      },
      tools: [END_CALL_TOOL],
    },
  };
}

/** The request to say a text word by word. */
export function sayExactly(text: string): object {
  return { type: 'response.create', response: { instructions: `Say exactly: ${text}` } };
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const body = parsed(text);
  const said = typeof body === 'object' && body !== null && 'text' in body ? String(body.text) : text;
  return { status: response.status, headers: response.headers, body, text: said };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
