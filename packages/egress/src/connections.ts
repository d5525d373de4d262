import { Client, type buildConnector } from 'undici';
import { ConnectionError, openGuardedSocket, type ConnectionTrace, type SocketOptions } from './guarded-socket.ts';
import type { Trust } from './url-policy.ts';

/** Where a request goes: a URL that was judged, and who vouches for it. */
export type Target = { readonly url: URL; readonly trust: Trust };

/** One guarded connection, in the hands of one request at a time. */
export type Connection = {
  readonly client: Client;
  /** Filled in while it is being made; its address stays. */
  readonly trace: ConnectionTrace;
  /** True when another request has used it before. */
  readonly isReused: boolean;
};

export type ConnectionOptions = SocketOptions & { readonly timeoutMs: number };

type Kept = { readonly connection: Connection; readonly key: string; readonly openedAt: number; isOpen: boolean };

const MAX_HEADER_BYTES = 16 * 1_024;
/** Shorter than what servers allow by default (Node and nginx: 5 s and more), so that we close first. */
const IDLE_MS = 3_000;
/** After this long a connection is not used again, so that a change in DNS, or of what is allowed, is followed. */
const MAX_AGE_MS = 60_000;
const MAX_IDLE = 256;

/**
 * Connections that are open and idle, so that not every webhook pays for a handshake. Invariants:
 * C1 a connection serves one origin under one trust, and one request at a time;
 * C2 it is made once, by the guarded socket: when it closes it is gone and never made again by itself;
 * C3 its peer is judged again before each use; it ends when idle for 3 s, or a minute old, or when there are too many.
 */
export class Connections {
  readonly #options: ConnectionOptions;
  readonly #idle: Kept[] = [];
  readonly #used = new Map<Connection, Kept>();

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** An idle connection to the target, or null. */
  reuse(target: Target): Connection | null {
    const key = keyOf(target);
    for (let place = this.#idle.length - 1; place >= 0; place--) {
      const kept = this.#idle[place];
      if (kept?.key !== key) continue;
      this.#idle.splice(place, 1);
      if (!this.#mayServe(kept, target)) {
        destroy(kept.connection);
        continue;
      }
      const connection = { ...kept.connection, isReused: true };
      this.#used.set(connection, { ...kept, connection });
      return connection;
    }
    return null;
  }

  /** A new connection, which opens with its first request. `deadline` ends the opening. */
  open(target: Target, deadline: AbortSignal): Connection {
    const trace: ConnectionTrace = {
      address: null,
      dnsMs: null,
      connectMs: null,
      tlsMs: null,
      certificateEndsAt: null,
    };
    const { timeoutMs } = this.#options;
    const client = new Client(target.url.origin, {
      connect: this.#connectOnce(target, trace, deadline),
      allowH2: false,
      pipelining: 1,
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
    });
    const connection = { client, trace, isReused: false };
    const kept: Kept = { connection, key: keyOf(target), openedAt: performance.now(), isOpen: true };
    client.on('disconnect', () => this.#forget(client));
    this.#used.set(connection, kept);
    return connection;
  }

  /** Takes a connection back whose answer was read to its end. */
  keep(connection: Connection): void {
    const kept = this.#used.get(connection);
    this.#used.delete(connection);
    if (kept === undefined || !kept.isOpen || connection.client.destroyed) return destroy(connection);
    this.#idle.push(kept);
    if (this.#idle.length > MAX_IDLE) destroy(this.#idle.shift()?.connection);
  }

  /** Ends a connection. */
  drop(connection: Connection): void {
    this.#used.delete(connection);
    destroy(connection);
  }

  /** Ends all that are idle. */
  close(): void {
    for (const { connection } of this.#idle.splice(0)) destroy(connection);
  }

  #mayServe({ connection, openedAt, isOpen }: Kept, target: Target): boolean {
    const { address } = connection.trace;
    return (
      isOpen &&
      !connection.client.destroyed &&
      performance.now() - openedAt < MAX_AGE_MS &&
      address !== null &&
      this.#options.policy.mayConnect([address], target.trust)
    );
  }

  #connectOnce(target: Target, trace: ConnectionTrace, deadline: AbortSignal): buildConnector.connector {
    let isFirst = true;
    const open = async (callback: buildConnector.Callback): Promise<void> => {
      try {
        if (!isFirst) throw new ConnectionError('connection_failed');
        isFirst = false;
        const socket = await openGuardedSocket(target, this.#options, trace, deadline);
        callback(null, socket);
      } catch (error) {
        callback(error instanceof Error ? error : new ConnectionError('connection_failed'), null);
      }
    };
    return (_options, callback) => void open(callback);
  }

  #forget(client: Client): void {
    for (const [connection, kept] of this.#used) if (connection.client === client) kept.isOpen = false;
    const place = this.#idle.findIndex((kept) => kept.connection.client === client);
    if (place >= 0) destroy(this.#idle.splice(place, 1)[0]?.connection);
  }
}

function keyOf({ url, trust }: Target): string {
  return `${trust} ${url.origin}`;
}

function destroy(connection: Connection | undefined): void {
  void connection?.client.destroy().catch(() => undefined);
}
