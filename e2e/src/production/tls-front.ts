import { once } from 'node:events';
import {
  request as plainRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { SERVER } from './certificate.ts';

/** One request as it came over TLS, and what was answered. */
export type SeenRequest = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  status: number;
  answer: string;
  answerHeaders: IncomingHttpHeaders;
};

/** One WebSocket: its handshake, and every frame. `in` came from the client. */
export type SeenSocket = {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly frames: { readonly direction: 'in' | 'out'; readonly text: string; readonly isBinary: boolean }[];
};

/** Ends TLS before a plain server, as an ingress does, and writes down what passes. */
export type TlsFront = {
  /** `https://localhost:<port>`. */
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  readonly sockets: readonly SeenSocket[];
  /** Where everything goes: `http://127.0.0.1:<port>`. */
  target: string;
  close(): void;
};

/** The handshake's own headers, which a proxy makes anew. */
const HANDSHAKE = /^(sec-websocket-.*|connection|upgrade)$/;

export async function startTlsFront(): Promise<TlsFront> {
  const requests: SeenRequest[] = [];
  const sockets: SeenSocket[] = [];
  const server = createServer(SERVER, (request, response) => {
    void forward(request, response, front.target).then((seen) => requests.push(seen));
  });
  const accepting = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const seen: SeenSocket = { url: request.url ?? '', headers: request.headers, frames: [] };
    sockets.push(seen);
    const headers = Object.entries(request.headers).filter(([name]) => !HANDSHAKE.test(name));
    const onward = new WebSocket(`${front.target.replace(/^http/, 'ws')}${seen.url}`, {
      headers: Object.fromEntries(headers) as Record<string, string>, // those of a handshake come once each
      perMessageDeflate: false,
    });
    onward.on('error', () => socket.destroy());
    const early: Parameters<Parameters<typeof accept>[0]>[] = [];
    const keep = (...frame: (typeof early)[number]): number => early.push(frame);
    onward.on('message', keep);
    const accept = (send: (frame: Buffer, isBinary: boolean) => void): void => {
      onward.off('message', keep);
      for (const frame of early) send(...frame);
      onward.on('message', send);
    };
    onward.once('open', () =>
      accepting.handleUpgrade(request, socket, head, (client) => relay(client, onward, accept, seen)),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // listening on TCP
  const front: TlsFront = {
    url: `https://localhost:${port}`,
    requests,
    sockets,
    target: '',
    close: () => {
      for (const client of accepting.clients) client.terminate();
      server.closeAllConnections();
      server.close();
    },
  };
  return front;
}

function relay(
  client: WebSocket,
  onward: WebSocket,
  accept: (send: (frame: Buffer, isBinary: boolean) => void) => void,
  { frames }: SeenSocket,
): void {
  client.on('message', (frame: Buffer, isBinary) => {
    frames.push({ direction: 'in', text: frame.toString('utf8'), isBinary });
    onward.send(frame, { binary: isBinary });
  });
  accept((frame, isBinary) => {
    frames.push({ direction: 'out', text: frame.toString('utf8'), isBinary });
    client.send(frame, { binary: isBinary });
  });
  client.on('close', (code) => (code >= 1_000 && code < 1_004 ? onward.close(code) : onward.terminate()));
  onward.on('close', (code) => (code >= 1_000 && code < 1_004 ? client.close(code) : client.terminate()));
  client.on('error', () => onward.terminate());
}

async function forward(request: IncomingMessage, response: ServerResponse, target: string): Promise<SeenRequest> {
  const body = await textOf(request);
  const onward = plainRequest(`${target}${request.url}`, { method: request.method, headers: request.headers });
  onward.end(body);
  const [answered] = (await once(onward, 'response')) as [IncomingMessage];
  const answer = await textOf(answered);
  const status = answered.statusCode ?? 0;
  response.writeHead(status, answered.headers).end(answer);
  const { method = '', url = '', headers } = request;
  return { method, url, headers, body, status, answer, answerHeaders: answered.headers };
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
