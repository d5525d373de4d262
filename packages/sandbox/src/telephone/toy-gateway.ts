import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import twilio from 'twilio';
import { WebSocketServer, type WebSocket } from 'ws';
import { z } from 'zod';
import { createDemodulator } from '../speech/demodulate.ts';
import { modulate } from '../speech/modulate.ts';
import { mulawDecode, mulawEncode } from '../speech/mulaw.ts';

export const ACCOUNT = {
  accountSid: `AC${'1'.repeat(32)}`,
  authToken: 'the-auth-token-of-the-sandbox',
  apiKeySid: `SK${'2'.repeat(32)}`,
  apiKeySecret: 'the-api-key-secret',
  publicBaseUrl: 'https://calls.example.com',
};

/** A frame that came from the telephone. */
const frameSchema = z.looseObject({
  event: z.string(),
  sequenceNumber: z.string().optional(),
  streamSid: z.string().optional(),
  start: z.looseObject({ callSid: z.string(), customParameters: z.record(z.string(), z.string()) }).optional(),
  media: z.looseObject({ chunk: z.string(), timestamp: z.string(), payload: z.string() }).optional(),
  mark: z.looseObject({ name: z.string() }).optional(),
});
type Frame = z.infer<typeof frameSchema>;

/** One media stream, from the gateway's side. */
export type ToyStream = {
  readonly isSigned: boolean;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly frames: Frame[];
  /** Frames that are no JSON text. */
  readonly odd: unknown[];
  readonly marks: string[];
  /** Texts of the caller, as heard so far. */
  readonly heard: string[];
  closed: boolean;
  /** Says a text as the agent, in pieces of 200 ms. */
  say(text: string): void;
  send(message: object | string): void;
  close(): void;
  /** All bytes of the caller so far. */
  audio(): Buffer;
};

export type ToyRequest = {
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly isSigned: boolean;
  readonly headers: IncomingMessage['headers'];
};

export type ToyOptions = {
  readonly twiml?: string | ((request: ToyRequest) => { status: number; body: string });
  readonly statusOfCallback?: (count: number) => number | 'never';
  /** Called with `start`. */
  readonly onStart?: (stream: ToyStream) => void;
  /** Called when the caller's words were heard. */
  readonly onHeard?: (stream: ToyStream, text: string) => void;
  /** Called with a mark's echo. */
  readonly onMark?: (stream: ToyStream, name: string) => void;
  readonly refusesUpgrade?: boolean;
};

export type ToyGateway = {
  readonly url: string;
  readonly voice: ToyRequest[];
  readonly status: ToyRequest[];
  readonly streams: ToyStream[];
  close(): Promise<void>;
};

/** The TwiML of this product's gateway, made by Twilio's own library. */
export function productTwiml(): string {
  const response = new twilio.twiml.VoiceResponse();
  response.start().recording({ channels: 'dual', track: 'both', trim: 'do-not-trim' });
  const stream = response.connect().stream({ url: 'wss://calls.example.com/twilio/media' });
  stream.parameter({ name: 'token', value: 'once & "only"' });
  response.hangup();
  return response.toString();
}

/** A gateway for tests: checks signatures with Twilio's library, keeps all that comes, and says what it is told. */
export async function startToyGateway(options: ToyOptions = {}): Promise<ToyGateway> {
  const gateway = { voice: [] as ToyRequest[], status: [] as ToyRequest[], streams: [] as ToyStream[] };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const fields = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString('utf8')));
      const came = {
        path: request.url ?? '',
        fields,
        isSigned: isSigned(request, 'https', fields),
        headers: request.headers,
      };
      if (came.path === '/twilio/status') {
        gateway.status.push(came);
        const answer = options.statusOfCallback?.(gateway.status.length) ?? 204;
        if (answer !== 'never') response.writeHead(answer).end();
        return;
      }
      gateway.voice.push(came);
      const made = typeof options.twiml === 'function' ? options.twiml(came) : undefined;
      const body = made?.body ?? (typeof options.twiml === 'string' ? options.twiml : productTwiml());
      response.writeHead(made?.status ?? 200, { 'content-type': 'text/xml' }).end(body);
    });
  });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 8 * 1024 * 1024 });
  server.on('upgrade', (request, socket, head) => {
    if (options.refusesUpgrade === true) {
      socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (ws) => gateway.streams.push(openStream(ws, request, options)));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });
  const { port } = server.address() as AddressInfo;
  return {
    ...gateway,
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        for (const client of sockets.clients) client.terminate();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function isSigned(request: IncomingMessage, scheme: string, fields: Record<string, string>): boolean {
  const url = `${scheme}://calls.example.com${request.url ?? ''}`;
  return twilio.validateRequest(ACCOUNT.authToken, String(request.headers['x-twilio-signature']), url, fields);
}

function openStream(socket: WebSocket, request: IncomingMessage, options: ToyOptions): ToyStream {
  const ear = createDemodulator();
  const audio: Buffer[] = [];
  let streamSid = '';
  const stream: ToyStream = {
    isSigned: isSigned(request, 'wss', {}),
    headers: request.headers,
    frames: [],
    odd: [],
    marks: [],
    heard: [],
    closed: false,
    say: (text) => {
      const bytes = mulawEncode(modulate(text));
      for (let at = 0; at < bytes.length; at += 1_600) {
        stream.send({ event: 'media', media: { payload: bytes.subarray(at, at + 1_600).toString('base64') } });
      }
    },
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify({ ...message, streamSid })),
    close: () => socket.close(1000),
    audio: () => Buffer.concat(audio),
  };
  socket.on('close', () => {
    stream.closed = true;
  });
  socket.on('message', (payload: Buffer, isBinary) => {
    const frame = isBinary ? undefined : parseFrame(payload.toString('utf8'));
    if (frame === undefined) {
      stream.odd.push(payload);
      return;
    }
    stream.frames.push(frame);
    if (frame.event === 'start' && streamSid === '') {
      streamSid = frame.streamSid ?? '';
      options.onStart?.(stream);
    }
    if (frame.mark !== undefined) {
      stream.marks.push(frame.mark.name);
      options.onMark?.(stream, frame.mark.name);
    }
    if (frame.media === undefined || frame.media.payload.length > 1_000) return;
    const bytes = Buffer.from(frame.media.payload, 'base64');
    audio.push(bytes);
    for (const utterance of ear.push(mulawDecode(bytes))) {
      stream.heard.push(utterance.text);
      options.onHeard?.(stream, utterance.text);
    }
  });
  return stream;
}

function parseFrame(text: string): Frame | undefined {
  try {
    return frameSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
