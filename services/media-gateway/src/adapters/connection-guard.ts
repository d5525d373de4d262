import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Bounds the sockets of this process, whatever comes over them. A connection is a stranger's until a signed request came over
 * it; strangers of one address are few. So a flood takes no place from calls, also behind an ingress, where all connections
 * come from the ingress's address and each carries signed requests.
 */
export type ConnectionGuard = {
  /** A signed request came over this connection. */
  prove(socket: Socket): void;
};

export type ConnectionLimits = {
  readonly maxSockets: number;
  /** Of one address, without a signed request so far. */
  readonly maxStrangers: number;
};

/** Guards an HTTP server from now on; a connection above a limit is cut without a word and counted. */
export function guardConnections(
  server: Server,
  limits: ConnectionLimits,
  onRejected: (reason: string) => void,
): ConnectionGuard {
  const strangers = new Map<string, number>();
  const unproven = new WeakSet<Socket>();
  let open = 0;

  const addressOf = (socket: Socket): string => socket.remoteAddress ?? '';
  const forget = (address: string): void => {
    const left = (strangers.get(address) ?? 0) - 1;
    if (left > 0) strangers.set(address, left);
    else strangers.delete(address);
  };

  server.on('connection', (socket: Socket) => {
    const address = addressOf(socket);
    const count = strangers.get(address) ?? 0;
    if (open >= limits.maxSockets || count >= limits.maxStrangers) {
      onRejected(open >= limits.maxSockets ? 'sockets' : 'sockets_of_address');
      socket.destroy();
      return;
    }
    open += 1;
    strangers.set(address, count + 1);
    unproven.add(socket);
    socket.once('close', () => {
      open -= 1;
      if (unproven.delete(socket)) forget(address);
    });
  });

  return {
    prove: (socket) => {
      if (unproven.delete(socket)) forget(addressOf(socket));
    },
  };
}
