import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { newSid } from '../../telephone/account.ts';
import { createStreamMessages, type StreamMessages } from '../../telephone/call/stream-messages.ts';
import { callerStamp, CALLER_FRAME_MS } from '../audio-sizes.ts';
import type { Arrivals } from '../arrivals.ts';
import { machineUs } from '../clock.ts';
import { STALL_MS } from '../faults.ts';
import { phaseUs, type Pacer } from '../pacer.ts';

/** What a line is opened with. */
export type LineOptions = {
  readonly call: number;
  readonly callSid: string;
  readonly accountSid: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly customParameters: Readonly<Record<string, string>>;
};

export type LineParts = {
  readonly arrivals: Arrivals;
  readonly pacer: Pacer;
  /** Milliseconds of audio in a piece of the agent: how long it plays. */
  readonly pieceMs: number;
};

const HANDSHAKE_MS = 10_000;
const CLOSE_MS = 3_000;
const MAX_MESSAGE_BYTES = 1_048_576;

/**
 * One media stream of a load: speaks in real time from the handshake on, plays what comes and echoes marks when they are played.
 * Invariants: after its close nothing is sent; a frame that was counted as sent was handed to an open socket.
 */
export class LoadLine {
  /** Resolves when both sides heard each other; rejects when the stream closes before. */
  readonly up: Promise<void>;
  /** Resolves when the socket is closed. */
  readonly closed: Promise<void>;
  sent = 0;
  readonly problems: string[] = [];
  readonly #socket: WebSocket;
  readonly #messages: StreamMessages;
  readonly #streamSid = newSid('MZ');
  readonly #options: LineOptions;
  readonly #parts: LineParts;
  readonly #up = Promise.withResolvers<void>();
  /** Marks behind audio that is still playing, and when it will have been played. */
  #marks: { readonly name: string; readonly dueUs: number }[] = [];
  #playedUntilUs = 0;
  #stop: (() => void) | null = null;
  #isHushed = false;
  #isOver = false;

  constructor(options: LineOptions, parts: LineParts) {
    this.#options = options;
    this.#parts = parts;
    const { accountSid, callSid, customParameters } = options;
    this.#messages = createStreamMessages({ accountSid, callSid, streamSid: this.#streamSid, customParameters });
    this.#socket = new WebSocket(options.url, {
      headers: options.headers,
      perMessageDeflate: false,
      handshakeTimeout: HANDSHAKE_MS,
      maxPayload: MAX_MESSAGE_BYTES,
    });
    this.up = this.#up.promise;
    this.closed = new Promise((resolve) => this.#socket.once('close', () => resolve()));
    this.#listen();
  }

  /** No more audio; marks are still echoed. */
  hush(): void {
    this.#isHushed = true;
  }

  /** Cuts the socket without a word. */
  cut(): void {
    this.#end();
    this.#socket.terminate();
  }

  /** The network stands still for a while: nothing is sent or read, then everything that waited is. */
  async stall(): Promise<void> {
    this.#stop?.();
    this.#stop = null;
    const fromUs = machineUs();
    this.#socket.pause();
    await pause(STALL_MS);
    if (this.#isOver) return;
    this.#socket.resume();
    this.#speakFrom(fromUs);
  }

  /** The caller hangs up: `stop`, then the closing handshake. Resolves when the socket is closed. */
  async hangUp(): Promise<void> {
    this.#end();
    if (this.#socket.readyState === WebSocket.OPEN) {
      this.#socket.send(this.#messages.stop());
      this.#socket.close(1000);
    }
    const limit = setTimeout(() => this.#socket.terminate(), CLOSE_MS);
    await this.closed;
    clearTimeout(limit);
  }

  #listen(): void {
    this.#socket.on('open', () => {
      this.#socket.send(this.#messages.connected());
      this.#socket.send(this.#messages.start());
      this.#speakFrom(machineUs() + phaseUs(this.#options.call, CALLER_FRAME_MS));
    });
    // `binaryType` keeps its default, so a frame is a Buffer.
    this.#socket.on('message', (frame) => this.#receive((frame as Buffer).toString('latin1')));
    this.#socket.on('error', (error) => this.problems.push(`media stream: ${error.message}`));
    this.#socket.on('close', (code) => {
      if (!this.#isOver) this.problems.push(`the other side closed the media stream with ${code}`);
      this.#end();
      this.#up.reject(new Error(`the media stream closed with ${code} before both sides heard each other`));
    });
    this.up.catch(() => undefined); // whoever waits for it hears of it
  }

  #speakFrom(fromUs: number): void {
    this.#stop = this.#parts.pacer.run(CALLER_FRAME_MS, fromUs, () => this.#frame());
  }

  #frame(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#echoPlayed();
    if (this.#isHushed) return;
    this.#socket.send(this.#messages.mediaOf(callerStamp.write(this.#options.call, this.sent, machineUs())));
    this.sent += 1;
  }

  #echoPlayed(): void {
    const nowUs = machineUs();
    for (let first = this.#marks[0]; first !== undefined && first.dueUs <= nowUs; first = this.#marks[0]) {
      this.#marks.shift();
      this.#socket.send(this.#messages.mark(first.name));
    }
  }

  #receive(text: string): void {
    if (this.#isOver) return;
    const frame = JSON.parse(text) as {
      readonly event?: unknown;
      readonly streamSid?: unknown;
      readonly media?: { readonly payload?: unknown };
      readonly mark?: { readonly name?: unknown };
    }; // every value is looked at before it is used
    if (frame.streamSid !== this.#streamSid) return this.#note('a frame names another stream');
    switch (frame.event) {
      case 'media':
        this.#parts.arrivals.take(String(frame.media?.payload), this.#options.call);
        this.#playedUntilUs = Math.max(this.#playedUntilUs, machineUs()) + this.#parts.pieceMs * 1_000;
        this.#up.resolve();
        return;
      case 'mark':
        this.#marks.push({ name: String(frame.mark?.name), dueUs: this.#playedUntilUs });
        return;
      case 'clear':
        for (const { name } of this.#marks.splice(0)) this.#socket.send(this.#messages.mark(name));
        this.#playedUntilUs = 0;
        return;
      default:
        this.#note('a frame of an unknown event');
    }
  }

  /** Said once each: a gateway that is wrong is wrong in every frame. */
  #note(problem: string): void {
    if (!this.problems.includes(problem)) this.problems.push(problem);
  }

  #end(): void {
    this.#isOver = true;
    this.#stop?.();
    this.#stop = null;
  }
}
