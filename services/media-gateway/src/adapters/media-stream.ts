import type { Socket } from 'node:net';
import websocket from '@fastify/websocket';
import type { Logger } from '@pipeline/runtime';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import type { CallInput } from '../call/call.ts';
import type { MediaStream, RunningCall } from '../running-call.ts';
import { createFloodGate, type FloodGate } from './flood-gate.ts';
import { createFrameReader, MediaProtocolError, type FrameReader, type MediaFrame } from './media-frames.ts';
import { textFrames } from './text-frames.ts';

export type MediaStreamDeps = {
  readonly accountSid: string;
  /** Whether the handshake carries Twilio's signature over the URL of the TwiML. */
  readonly isSigned: (signature: string | undefined) => boolean;
  /** False once this process takes no new streams. */
  readonly isOpen: () => boolean;
  /** Sockets at the same time: calls were counted before, so more of them are nobody's calls. */
  readonly maxStreams: number;
  readonly openStream: (callSid: string, token: string, media: MediaStream) => Promise<RunningCall | null>;
  /** Counts what was refused, by a short reason. */
  readonly onRejected: (reason: string) => void;
  /** A signed handshake came over this connection. */
  readonly onGenuine: (request: FastifyRequest) => void;
  readonly logger: Logger;
  /** Audio against the clock on the wall that a stream may send for long: 2 is twice real time. */
  readonly maxSpeed: number;
  /** Milliseconds from the handshake to `start`. Default 5 s. */
  readonly startDeadlineMs?: number;
};

/** Each holds 216 characters of audio when everything is as it should be. */
const MAX_FRAME_BYTES = 65_536;
/** What Twilio has not taken yet: about 90 s of audio. */
const MAX_BUFFERED_BYTES = 1_048_576;
/** Frames that may arrive while the token is looked up: 5 s. */
const MAX_EARLY_FRAMES = 250;
/** A client that does not answer our close. */
const CLOSE_DEADLINE_MS = 2_000;

const CLOSE = { normal: 1000, binary: 1003, refused: 1008, internal: 1011 } as const;

/** Adds Twilio's media stream as a WebSocket on `path`. Closing the app cuts what is left; the calls are over by then. */
export async function addMediaStream(app: FastifyInstance, path: string, deps: MediaStreamDeps): Promise<void> {
  await app.register(websocket, {
    options: { maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false, maxFragments: 16, maxBufferedChunks: 256 },
    errorHandler: () => undefined, // each connection has its own listener; the plugin's would cut the closing handshake
    preClose: (done) => {
      for (const client of app.websocketServer.clients) client.terminate();
      app.websocketServer.close(() => undefined);
      done();
    },
  });
  const checkHandshake = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const refuse = (status: number, reason: string): FastifyReply => {
      deps.onRejected(reason);
      return reply.code(status).send({ error: 'refused' });
    };
    const signature = request.headers['x-twilio-signature'];
    if (typeof signature !== 'string' || request.url !== path || !deps.isSigned(signature))
      return refuse(403, 'signature');
    deps.onGenuine(request);
    const hasRoom = deps.isOpen() && app.websocketServer.clients.size < deps.maxStreams;
    return hasRoom ? undefined : refuse(503, 'no_room');
  };
  app.get(path, { websocket: true, preValidation: checkHandshake }, (socket, request) => {
    void new MediaConnection(socket, request.raw.socket, deps);
  });
}

/**
 * One connection, from the handshake to its close. Invariants:
 * M1 every listener is bound before anything is awaited: frames that come early would be lost;
 * M2 a frame that breaks the protocol closes the connection and, where a call has it, ends that call;
 * M3 a call that was opened hears of the end of its connection, whenever that was.
 */
class MediaConnection implements MediaStream {
  readonly #socket: WebSocket;
  /** What the WebSocket writes to. */
  readonly #wire: Socket;
  readonly #deps: MediaStreamDeps;
  readonly #reader: FrameReader;
  readonly #flood: FloodGate;
  readonly #startDeadline: NodeJS.Timeout;
  /** What arrives while the token is looked up. */
  readonly #early: CallInput[] = [];
  #call: RunningCall | null = null;
  #streamSid = '';
  #isClosed = false;

  constructor(socket: WebSocket, wire: Socket, deps: MediaStreamDeps) {
    this.#socket = socket;
    this.#wire = wire;
    this.#deps = deps;
    this.#reader = createFrameReader(deps.accountSid);
    this.#flood = createFloodGate(deps.maxSpeed);
    this.#startDeadline = setTimeout(() => this.#reject(CLOSE.refused, 'no_start'), deps.startDeadlineMs ?? 5_000);
    socket.on('message', (frame, isBinary) => {
      if (this.#isClosed) return;
      if (isBinary) return this.#reject(CLOSE.binary, 'binary');
      // ws hands over a Buffer because `binaryType` keeps its default.
      this.#read((frame as Buffer).toString('utf8'));
    });
    socket.on('error', () => this.#reject(CLOSE.refused, 'frame'));
    socket.on('close', () => {
      this.#isClosed = true;
      clearTimeout(this.#startDeadline);
      this.#call?.receive({ kind: 'media_closed' });
    });
  }

  /** Base64 and the name of a stream need no escaping. */
  play(payload: string, mark: string): void {
    this.#send(
      `{"event":"media","streamSid":"${this.#streamSid}","media":{"payload":"${payload}"}}`,
      `{"event":"mark","streamSid":"${this.#streamSid}","mark":{"name":${JSON.stringify(mark)}}}`,
    );
  }

  clear(): void {
    this.#send(JSON.stringify({ event: 'clear', streamSid: this.#streamSid }));
  }

  close(code: number = CLOSE.normal): void {
    this.#isClosed = true;
    clearTimeout(this.#startDeadline);
    this.#socket.close(code);
    setTimeout(() => this.#socket.terminate(), CLOSE_DEADLINE_MS).unref();
  }

  #read(text: string): void {
    try {
      this.#receive(this.#reader.read(text));
    } catch (error) {
      if (!(error instanceof MediaProtocolError)) throw error;
      this.#reject(CLOSE.refused, error.reason);
    }
  }

  #receive(frame: MediaFrame): void {
    if (!this.#flood.admits(frame.kind === 'media_audio' ? frame.ms : 0)) return this.#reject(CLOSE.refused, 'flood');
    if (frame.kind === 'ignored') return;
    if (frame.kind === 'dropped') return this.#deps.onRejected(frame.reason);
    if (frame.kind === 'start') {
      this.#start(frame).catch((error: unknown) => {
        this.#deps.logger.error({ err: error, callSid: frame.callSid }, 'a media stream could not be opened');
        this.#reject(CLOSE.internal, 'internal');
      });
    } else if (this.#call !== null) this.#call.receive(frame);
    else if (this.#early.push(frame) > MAX_EARLY_FRAMES) this.#reject(CLOSE.refused, 'too_early');
  }

  async #start(frame: Extract<MediaFrame, { kind: 'start' }>): Promise<void> {
    clearTimeout(this.#startDeadline);
    this.#streamSid = frame.streamSid;
    const call = await this.#deps.openStream(frame.callSid, frame.token, this);
    if (call === null) return this.#reject(CLOSE.refused, 'token');
    this.#call = call;
    for (const input of this.#early.splice(0)) call.receive(input);
    if (this.#isClosed) call.receive({ kind: 'media_closed' });
  }

  #reject(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#deps.onRejected(reason);
    this.close(code);
    this.#call?.receive({ kind: 'media_invalid' });
  }

  /** In one write to the kernel, which is what a frame costs most: past `ws`, which without compression keeps nothing back. */
  #send(...texts: readonly string[]): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) return this.#call?.receive({ kind: 'congested' });
    this.#wire.write(textFrames(...texts));
  }
}
