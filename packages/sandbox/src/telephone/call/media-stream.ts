import { WebSocket, type RawData } from 'ws';
import { framesToMs } from '../line/audio.ts';
import type { AudioClock, FrameResult } from '../line/clock.ts';
import type { CallFaults } from './faults.ts';
import type { GatewayClient } from './gateway-client.ts';
import type { Line } from '../line/line.ts';
import type { Playback } from '../line/playback.ts';
import { createWindow, type Window } from './window.ts';
import { createStreamMessages, readGatewayMessage, type StreamMessages, type StreamNames } from './stream-messages.ts';

const HANDSHAKE_MS = 10_000;
/** How long a close handshake may take. */
const CLOSE_MS = 2_000;
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
/** What a gateway that does not read may leave unread: several minutes of audio. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024;

/** How a stream ended: `agent` when the gateway closed it, `refused` when it never opened. */
export type StreamEnd = 'caller' | 'agent' | 'operator' | 'network' | 'refused';

export type StreamParts = {
  readonly client: GatewayClient;
  readonly clock: AudioClock;
  readonly line: Line;
  readonly playback: Playback;
  readonly speed: number;
  readonly faults: CallFaults;
  /** Before `stop` leaves. */
  readonly beforeStop: () => Promise<void>;
  /** Takes sentences for the outcome. */
  readonly note: (problem: string) => void;
  readonly count: { sent: number; received: number };
  /** Monotonic milliseconds on the wall. */
  readonly now: () => number;
};

/** Runs a bidirectional media stream from upgrade to close. `signal`'s reason says who ended the call from outside. Never rejects. */
export function runMediaStream(
  url: string,
  names: StreamNames,
  parts: StreamParts,
  signal: AbortSignal,
): Promise<StreamEnd> {
  return new MediaStream(url, names, parts, signal).ended;
}

/**
 * One WebSocket to the gateway.
 * M1 it ends once, whoever ends it first; M2 after its end nothing but `stop` is sent, and no clock runs;
 * M3 a frame of call time is made only while the socket is open, so what is recorded is what was sent.
 */
class MediaStream {
  readonly ended: Promise<StreamEnd>;
  readonly #socket: WebSocket;
  readonly #parts: StreamParts;
  readonly #messages: StreamMessages;
  readonly #streamSid: string;
  readonly #firstFrame: number;
  readonly #window: Window;
  #odd: NonNullable<CallFaults['oddFrames']>;
  #stopClock: () => void = () => {};
  #settle: (end: StreamEnd) => void = () => {};
  #end: StreamEnd | undefined;

  constructor(url: string, names: StreamNames, parts: StreamParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#messages = createStreamMessages(names);
    this.#streamSid = names.streamSid;
    this.#firstFrame = parts.line.frames;
    this.#window = createWindow(parts.speed, parts.now);
    this.#odd = parts.faults.oddFrames ?? [];
    const target = parts.client.upgrade(url, names.callSid, parts.faults.wrongSignature?.includes('media') === true);
    this.#socket = new WebSocket(target.url, {
      headers: target.headers,
      perMessageDeflate: false,
      handshakeTimeout: HANDSHAKE_MS,
      maxPayload: MAX_MESSAGE_BYTES,
    });
    const onAbort = (): void => this.#finish(signal.reason === 'caller' ? 'caller' : 'operator');
    this.ended = new Promise<StreamEnd>((resolve) => {
      this.#settle = resolve;
    }).finally(() => signal.removeEventListener('abort', onAbort));
    this.#listen();
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
  }

  #listen(): void {
    const socket = this.#socket;
    let isOpen = false;
    socket.on('open', () => {
      isOpen = true;
      if (this.#end !== undefined) return;
      socket.send(this.#messages.connected());
      socket.send(this.#messages.start());
      if (this.#parts.faults.duplicateStart === true) socket.send(this.#messages.start());
      this.#stopClock = this.#parts.clock.run(this.#parts.speed, () => this.#frame());
    });
    socket.on('message', (payload, isBinary) => this.#receive(payload, isBinary));
    socket.on('pong', () => this.#window.answered());
    socket.on('error', (error) => {
      if (this.#end === undefined)
        this.#parts.note(`${isOpen ? 'media stream' : 'media stream upgrade'}: ${error.message}`);
    });
    socket.on('close', () => this.#finish(isOpen ? 'agent' : 'refused'));
  }

  /** Makes and sends 20 ms of call time. */
  #frame(): FrameResult {
    const { line, faults, count } = this.#parts;
    if (this.#socket.readyState !== WebSocket.OPEN || !this.#window.isOpen()) return 'held';
    const turn = line.next();
    if (turn.kind === 'held') return 'held';
    if (turn.kind === 'hang_up') {
      this.#finish('caller');
      return 'over';
    }
    this.#socket.send(this.#messages.media(turn.caller));
    count.sent += 1;
    if (this.#window.sent()) this.#socket.ping();
    for (const mark of turn.marks) this.#socket.send(this.#messages.mark(mark));
    const atMs = framesToMs(line.frames - this.#firstFrame);
    for (const odd of this.#odd) if (odd.afterMs <= atMs) this.#socket.send(odd.frame);
    this.#odd = this.#odd.filter((odd) => odd.afterMs > atMs);
    if (faults.dropSocketAfterMs !== undefined && atMs >= faults.dropSocketAfterMs) this.#cut();
    if (this.#socket.bufferedAmount > MAX_UNREAD_BYTES) {
      this.#parts.note('the gateway does not read its media stream');
      this.#cut();
    }
    return this.#end === undefined ? 'made' : 'over';
  }

  #receive(payload: RawData, isBinary: boolean): void {
    if (this.#end !== undefined) return;
    const { playback, note, count } = this.#parts;
    if (isBinary || !Buffer.isBuffer(payload)) {
      note('the gateway sent a binary frame (31924)');
      this.#cut();
      return;
    }
    const message = readGatewayMessage(payload.toString('utf8'), this.#streamSid);
    switch (message.kind) {
      case 'media':
        count.received += 1;
        if (!playback.media(message.bytes)) note('the gateway sent more audio than is buffered');
        return;
      case 'mark':
        if (!playback.mark(message.name)) note('the gateway sent more marks than are buffered');
        return;
      case 'clear':
        for (const mark of playback.clear()) this.#socket.send(this.#messages.mark(mark));
        return;
      case 'strange':
        note(message.problem);
        return;
      case 'broken':
        note(message.problem);
        this.#cut();
    }
  }

  #cut(): void {
    this.#socket.terminate();
    this.#finish('network');
  }

  #finish(end: StreamEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#stopClock();
    this.#parts.playback.clear();
    this.#close().then(
      () => this.#settle(end),
      () => this.#settle(end),
    );
  }

  async #close(): Promise<void> {
    const socket = this.#socket;
    if (socket.readyState === WebSocket.OPEN) {
      await this.#parts.beforeStop();
      if (this.#parts.faults.noStop !== true) socket.send(this.#messages.stop());
    }
    if (socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
    });
    socket.close(1000);
    const timer = setTimeout(() => socket.terminate(), CLOSE_MS);
    await closed;
    clearTimeout(timer);
  }
}
