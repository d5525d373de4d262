import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { WebSocket, type ClientOptions } from 'ws';
import type { PuppetSession } from './examples.ts';
import { createTestGateway, type TestGateway } from './gateway.ts';
import { formRequest, frames, MEDIA_URL, signatureOf, voiceForm, type Pairs } from './twilio.ts';

/** A test gateway on a real port, and a world that calls it over real sockets. */
export type ListeningGateway = TestGateway & {
  readonly port: number;
  /** Posts a form as Twilio does, signed as asked. */
  post(form: Pairs, options?: Parameters<typeof formRequest>[2], path?: string): Promise<TestAnswer>;
  /** Sends bytes and reads until the other side closes. */
  exchange(bytes: string | Buffer): Promise<string>;
  /** A bare TCP connection. */
  connect(): Promise<Socket>;
  /** The token of a call that is answered now. */
  answer(form?: Pairs): Promise<string>;
  /** An open WebSocket that has said nothing yet. */
  stream(options?: ClientOptions): Promise<TestStream>;
  /** A WebSocket that has become a call's media stream, and the agent's session behind it. */
  call(): Promise<TestStream & { readonly session: PuppetSession; readonly token: string }>;
  /** The status by which an upgrade is refused. */
  refusedUpgrade(path: string, headers: Record<string, string>): Promise<number>;
  close(): Promise<void>;
};

export type TestAnswer = { readonly status: number; readonly body: string; readonly headers: Headers };

export type TestStream = {
  readonly socket: WebSocket;
  /** Sends frames: objects as JSON, texts and bytes as they are. */
  send(...sent: unknown[]): void;
  /** The closing code. */
  readonly closed: Promise<number>;
  readonly received: Record<string, unknown>[];
};

/** The signature of the handshake. */
export const SIGNED = signatureOf(MEDIA_URL);

export async function listeningGateway(options?: Parameters<typeof createTestGateway>[0]): Promise<ListeningGateway> {
  const gateway = await createTestGateway(options);
  await gateway.app.listen({ host: '127.0.0.1', port: 0 });
  // Listening on TCP, so the address is no path.
  const { port } = gateway.app.server.address() as AddressInfo;
  const sockets: (WebSocket | Socket)[] = [];
  const stream: ListeningGateway['stream'] = async (init) => {
    const opened = await openStream(port, init);
    sockets.push(opened.socket);
    return opened;
  };
  const post: ListeningGateway['post'] = async (form, init, path = '/twilio/voice') => {
    const request = formRequest(path, form, init);
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { ...request, body: request.payload });
    return { status: answer.status, body: await answer.text(), headers: answer.headers };
  };
  const answer = async (form: Pairs = voiceForm): Promise<string> =>
    /name="token" value="([^"]+)"/.exec((await post(form)).body)?.[1] ?? 'none';
  const connectSocket = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  };
  return Object.assign(gateway, {
    port,
    post,
    answer,
    stream,
    connect: connectSocket,
    exchange: async (bytes: string | Buffer) => {
      const socket = await connectSocket();
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
      socket.on('error', () => undefined); // a reset is an end like any other: what came before it counts
      const closed = once(socket, 'close');
      socket.write(bytes);
      await closed;
      return text;
    },
    call: async () => {
      const token = await answer();
      const opened = await stream();
      opened.send(frames.connected, frames.start(token));
      const session = await firstSession(gateway);
      session.report({ kind: 'agent_ready' });
      return { ...opened, session, token };
    },
    refusedUpgrade: (path: string, headers: Record<string, string>) => refusedUpgrade(port, path, headers),
    close: async () => {
      for (const socket of sockets.splice(0)) {
        if (socket instanceof WebSocket) socket.terminate();
        else socket.destroy();
      }
      await gateway.app.close();
    },
  });
}

/** Opens a WebSocket with Twilio's signature on a server of this machine. */
export async function openStream(port: number, options: ClientOptions = {}): Promise<TestStream> {
  const headers = { 'x-twilio-signature': SIGNED };
  const socket = new WebSocket(`ws://127.0.0.1:${port}/twilio/media`, { headers, ...options });
  const received: Record<string, unknown>[] = [];
  socket.on('message', (frame: Buffer) => received.push(JSON.parse(frame.toString()) as Record<string, unknown>));
  const closed = once(socket, 'close').then(([code]) => code as number);
  await once(socket, 'open');
  socket.on('error', () => undefined);
  const send = (...sent: unknown[]): void => {
    for (const frame of sent)
      socket.send(typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame));
  };
  return { socket, send, closed, received };
}

/** The status by which an upgrade is refused. */
export async function refusedUpgrade(port: number, path: string, headers: Record<string, string>): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
  socket.on('error', () => undefined);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
  socket.terminate();
  return response.statusCode;
}

async function firstSession(gateway: TestGateway): Promise<PuppetSession> {
  const deadline = performance.now() + 10_000;
  while (performance.now() < deadline) {
    const [first] = gateway.agent.sessions;
    if (first !== undefined) return first;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('no session was opened');
}
