import { randomBytes } from 'node:crypto';
import type { WebSocket } from 'ws';
import type { Arrivals } from '../arrivals.ts';
import { machineUs } from '../clock.ts';
import { phaseUs, type Pacer } from '../pacer.ts';
import type { FrameStamp } from '../stamp.ts';

/** What all sessions of the stand-in share. */
export type SessionParts = {
  readonly arrivals: Arrivals;
  readonly pacer: Pacer;
  readonly stamp: FrameStamp;
  /** Milliseconds of audio in one piece. */
  readonly pieceMs: number;
  /** Pieces said so far, by call: a session that replaces a lost one counts on. */
  readonly said: Map<number, number>;
  /** False once nobody is to speak any more. */
  readonly isSpeaking: () => boolean;
};

/** A turn of the agent: 5 s, about what people let somebody say before they answer. */
const TURN_MS = 5_000;
const APPEND = '{"type":"input_audio_buffer.append"';
const AUDIO = '"audio":"';

/**
 * One session that speaks without end, in the shapes of OpenAI's Realtime API and at a price that a load can afford: no audio is
 * understood, a turn follows the other. It answers `session.update`, begins with the first `response.create`, and passes over
 * everything else.
 */
export class LoadSession {
  readonly #socket: WebSocket;
  readonly #parts: SessionParts;
  readonly #id = randomBytes(6).toString('hex');
  #call: number | null = null;
  #isAsked = false;
  #turn = 0;
  #pieceInTurn = 0;
  #stop: (() => void) | null = null;

  constructor(socket: WebSocket, parts: SessionParts) {
    this.#socket = socket;
    this.#parts = parts;
    socket.on('message', (frame) => this.#receive((frame as Buffer).toString('latin1'))); // audio and types are ASCII
    socket.on('error', () => undefined); // a close follows
    socket.on('close', () => this.#stop?.());
    this.#send({ type: 'session.created', event_id: this.#eventId(), session: { id: `sess_${this.#id}` } });
  }

  #receive(text: string): void {
    // Fifty times a second and call: the text is cut, not parsed, unless somebody orders the keys in another way.
    if (text.startsWith(APPEND)) {
      const at = text.indexOf(AUDIO) + AUDIO.length;
      return this.#hear(text.slice(at, text.indexOf('"', at)));
    }
    const event = JSON.parse(text) as { readonly type?: unknown; readonly audio?: unknown }; // read below, nothing assumed
    if (event.type === 'input_audio_buffer.append') return this.#hear(String(event.audio));
    if (event.type === 'session.update')
      this.#send({ type: 'session.updated', event_id: this.#eventId(), session: { id: `sess_${this.#id}` } });
    if (event.type === 'response.create') {
      this.#isAsked = true;
      this.#speakIfDue();
    }
  }

  #hear(payload: string): void {
    const call = this.#parts.arrivals.take(payload, this.#call);
    if (call === null || this.#call !== null) return;
    this.#call = call;
    this.#speakIfDue();
  }

  #speakIfDue(): void {
    const { pacer, pieceMs } = this.#parts;
    if (!this.#isAsked || this.#call === null || this.#stop !== null) return;
    this.#stop = pacer.run(pieceMs, machineUs() + phaseUs(this.#call, pieceMs), () => this.#speak());
  }

  /** The next piece, with what surrounds it: begin and end of a turn, and its words. */
  #speak(): void {
    const { said, stamp, pieceMs, isSpeaking } = this.#parts;
    if (this.#call === null || !isSpeaking()) return;
    if (this.#pieceInTurn === 0) this.#beginTurn();
    const sequence = said.get(this.#call) ?? 0;
    const at = `"response_id":"resp_${this.#id}_${this.#turn}","item_id":"${this.#itemId()}","output_index":0,"content_index":0`;
    const payload = stamp.write(this.#call, sequence, machineUs());
    this.#socket.send(
      `{"type":"response.output_audio.delta","event_id":"${this.#eventId()}",${at},"delta":"${payload}"}`,
    );
    said.set(this.#call, sequence + 1);
    this.#socket.send(
      `{"type":"response.output_audio_transcript.delta","event_id":"${this.#eventId()}",${at},"delta":"word "}`,
    );
    this.#pieceInTurn += 1;
    if (this.#pieceInTurn * pieceMs >= TURN_MS) this.#endTurn();
  }

  #beginTurn(): void {
    const item = { id: this.#itemId(), type: 'message', role: 'assistant', status: 'in_progress', content: [] };
    const previous = this.#turn === 0 ? null : this.#itemId(this.#turn - 1);
    this.#send({ type: 'response.created', event_id: this.#eventId(), response: this.#response('in_progress') });
    this.#send({ type: 'conversation.item.added', event_id: this.#eventId(), previous_item_id: previous, item });
  }

  #endTurn(): void {
    const ids = {
      response_id: this.#response('completed').id,
      item_id: this.#itemId(),
      output_index: 0,
      content_index: 0,
    };
    const transcript = 'word '.repeat(this.#pieceInTurn);
    this.#send({ type: 'response.output_audio.done', event_id: this.#eventId(), ...ids });
    this.#send({ type: 'response.output_audio_transcript.done', event_id: this.#eventId(), ...ids, transcript });
    this.#send({ type: 'response.done', event_id: this.#eventId(), response: this.#response('completed') });
    this.#turn += 1;
    this.#pieceInTurn = 0;
  }

  #response(status: 'in_progress' | 'completed') {
    return { id: `resp_${this.#id}_${this.#turn}`, object: 'realtime.response', status, output: [] };
  }

  #itemId(turn: number = this.#turn): string {
    return `item_${this.#id}_${turn}`;
  }

  #eventId(): string {
    return `event_${this.#id}`;
  }

  #send(event: object): void {
    this.#socket.send(JSON.stringify(event));
  }
}
