import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import { SERVER } from './certificate.ts';

/** TLS before a server that has none. `port` is where it answers, `target` the port behind it. */
export type ServerFront = { readonly port: number; target: number; close(): void };

/** For servers that are spoken to over TLS from the first byte, as MongoDB. */
export function startTlsPipe(): Promise<ServerFront> {
  return start(
    (handle) => createTlsServer(SERVER, handle),
    (socket, target) => join(socket, connect(target, '127.0.0.1')),
  );
}

/** For NATS, which says in the clear that it wants TLS, and goes on over it. */
export function startNatsFront(): Promise<ServerFront> {
  return start(createServer, (socket, target) => {
    const onward = connect(target, '127.0.0.1');
    onward.once('data', (greeting: Buffer) => {
      socket.write(greeting.toString('utf8').replace('INFO {', 'INFO {"tls_required":true,'));
      join(new TLSSocket(socket, { isServer: true, ...SERVER }), onward);
    });
    onward.on('error', () => socket.destroy());
  });
}

async function start(
  create: (handle: (socket: Socket) => void) => Server,
  serve: (socket: Socket, target: number) => void,
): Promise<ServerFront> {
  const open = new Set<Socket>();
  const server = create((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    serve(socket, front.target);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // listening on TCP
  const front: ServerFront = {
    port,
    target: 0,
    close: () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
  return front;
}

function join(client: Socket, onward: Socket): void {
  client.pipe(onward).pipe(client);
  client.on('error', () => onward.destroy());
  onward.on('error', () => client.destroy());
  client.on('close', () => onward.destroy());
  onward.on('close', () => client.destroy());
}
