import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Bounds the sockets of this process, whatever comes over them. A connection is a stranger's until a signed request came over it,
 * and strangers are few: of one address, and of all. Where there are too many, the one that has been a stranger for longest is cut, not
 * the newcomer: a genuine request proves itself within moments, while a flood that says nothing, or slowly, grows old. So it
 * keeps out no call, also behind an ingress, where all connections come from the ingress's address.
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

/** Guards an HTTP server from now on; a connection that a limit costs is cut without a word and counted. */
export function guardConnections(
  server: Server,
  limits: ConnectionLimits,
  onRejected: (reason: string) => void,
): ConnectionGuard {
  // Both in the order in which they came.
  const strangers = new Set<Socket>();
  const ofAddress = new Map<string, Set<Socket>>();
  /** A socket that is closed has no address any more. */
  const addresses = new WeakMap<Socket, string>();
  let open = 0;

  const forget = (socket: Socket): void => {
    if (!strangers.delete(socket)) return;
    const address = addresses.get(socket) ?? '';
    const others = ofAddress.get(address);
    others?.delete(socket);
    if (others?.size === 0) ofAddress.delete(address);
  };
  const cut = (socket: Socket, reason: string): void => {
    onRejected(reason);
    socket.destroy();
  };

  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const present = ofAddress.get(address) ?? new Set<Socket>();
    const [oldestThere] = present;
    const [oldest] = strangers;
    const isCrowded = present.size >= limits.maxStrangers;
    const last = isCrowded ? oldestThere : open >= limits.maxSockets ? (oldest ?? socket) : undefined;
    if (last !== undefined) {
      forget(last);
      cut(last, isCrowded ? 'sockets_of_address' : 'sockets');
    }
    if (last === socket) return;
    open += 1;
    strangers.add(socket);
    addresses.set(socket, address);
    ofAddress.set(address, present.add(socket));
    socket.once('close', () => {
      open -= 1;
      forget(socket);
    });
  });

  return { prove: forget };
}
