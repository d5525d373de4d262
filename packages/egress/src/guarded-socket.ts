import { connect as connectTcp, isIP, type LookupFunction, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { literalOf, type Trust, type UrlPolicy } from './url-policy.ts';
import type { Resolve } from './resolver.ts';

/** Why no connection was made. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code: ConnectionCode;

  constructor(code: ConnectionCode, cause?: unknown) {
    super(code, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

export type ConnectionCode =
  | 'ip_blocked'
  | 'dns_no_address'
  | 'dns_error'
  | 'dns_timeout'
  | 'connection_failed'
  | 'tls_error'
  | 'timeout'
  | 'sender_exhausted';

/** What is known of a connection while it is being made; filled in as it goes, so that a failure can say how far it came. */
export type ConnectionTrace = {
  address: string | null;
  dnsMs: number | null;
  connectMs: number | null;
  tlsMs: number | null;
  /** Until when the peer's certificate is valid; null without TLS. */
  certificateEndsAt: Date | null;
};

export type SocketOptions = {
  readonly policy: Pick<UrlPolicy, 'mayConnect'>;
  readonly resolve: Resolve;
  /** Milliseconds for TCP and again for TLS. */
  readonly connectTimeoutMs: number;
  /** Authorities that certificates are checked against; the system's when absent. */
  readonly ca?: string;
  /** Opens the TCP connection. Node's own when absent. */
  readonly connect?: (options: TcpNetConnectOpts) => Socket;
};

/** At most this many answers of a name are tried: all of them are judged, but a long list must not use up the deadline. */
const MAX_ADDRESSES = 4;

/**
 * Opens the only kind of connection that a webhook may use. The name is resolved once, every answer is judged, and the socket
 * goes to a judged address: a second answer of the name is never asked for. TLS is spoken over that socket with the host's
 * own name. (undici's `connect.lookup` is no guard: it is not called for IP literals; a block list is ignored by `tls.connect`.)
 */
export async function openGuardedSocket(
  target: { readonly url: URL; readonly trust: Trust },
  options: SocketOptions,
  trace: ConnectionTrace,
  signal: AbortSignal,
): Promise<Socket> {
  const addresses = await resolveJudged(target, options, trace, signal);
  const begun = performance.now();
  const socket = await openTcp(target.url, addresses, options, signal);
  trace.connectMs = performance.now() - begun;
  trace.address = socket.remoteAddress ?? null;
  if (trace.address === null || !options.policy.mayConnect([trace.address], target.trust)) {
    socket.destroy();
    throw new ConnectionError('ip_blocked');
  }
  if (target.url.protocol !== 'https:') return socket;
  return upgradeToTls(socket, target.url, options, trace, signal);
}

async function resolveJudged(
  target: { readonly url: URL; readonly trust: Trust },
  options: SocketOptions,
  trace: ConnectionTrace,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const begun = performance.now();
  const literal = literalOf(target.url.hostname);
  const resolution =
    literal === null
      ? await options.resolve(target.url.hostname, signal)
      : { kind: 'addresses' as const, addresses: [literal] };
  trace.dnsMs = performance.now() - begun;
  if (resolution.kind === 'failed') throw new ConnectionError(resolution.code);
  if (resolution.addresses.length === 0) throw new ConnectionError('dns_no_address');
  if (!options.policy.mayConnect(resolution.addresses, target.trust)) throw new ConnectionError('ip_blocked');
  return resolution.addresses.slice(0, MAX_ADDRESSES);
}

function openTcp(url: URL, addresses: readonly string[], options: SocketOptions, signal: AbortSignal): Promise<Socket> {
  const answers = addresses.map((address) => ({ address, family: isIP(address) }));
  // With autoSelectFamily Node always asks for all answers (`all: true`).
  const lookup: LookupFunction = (_hostname, _lookupOptions, callback) => callback(null, answers);
  const socket = (options.connect ?? connectTcp)({
    host: literalOf(url.hostname) ?? url.hostname,
    port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)),
    lookup,
    autoSelectFamily: true,
    // Node's 250 ms gives up addresses that are merely far away.
    autoSelectFamilyAttemptTimeout: Math.max(10, Math.floor(options.connectTimeoutMs / answers.length)),
    noDelay: true,
  });
  return settled(socket, 'connect', 'connection_failed', options.connectTimeoutMs, signal);
}

async function upgradeToTls(
  socket: Socket,
  url: URL,
  options: SocketOptions,
  trace: ConnectionTrace,
  signal: AbortSignal,
): Promise<Socket> {
  const begun = performance.now();
  const literal = literalOf(url.hostname);
  const secure = connectTls({
    socket,
    host: literal ?? url.hostname,
    ...(literal === null ? { servername: url.hostname } : {}),
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2',
    // Said here, because NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment is the default otherwise.
    rejectUnauthorized: true,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });
  try {
    await settled(secure, 'secureConnect', 'tls_error', options.connectTimeoutMs, signal);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  trace.tlsMs = performance.now() - begun;
  trace.certificateEndsAt = endOf(secure.getPeerCertificate().valid_to);
  return secure;
}

function endOf(validTo: string): Date | null {
  const endsAt = new Date(validTo);
  return Number.isNaN(endsAt.getTime()) ? null : endsAt;
}

/** Resolves when the socket reports `event`; on an error, an early end, the timeout or the signal it is destroyed. */
function settled(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  failure: 'connection_failed' | 'tls_error',
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const fail = (code: ConnectionCode, cause?: unknown): void => {
    reject(new ConnectionError(code, cause));
    socket.destroy();
  };
  const onError = (error: Error): void => fail(isExhaustion(error) ? 'sender_exhausted' : failure, error);
  const onClose = (): void => fail(failure);
  const onAbort = (): void => fail('timeout');
  const timer = setTimeout(onAbort, timeoutMs);
  signal.addEventListener('abort', onAbort, { once: true });
  socket.once('error', onError);
  socket.once('close', onClose);
  socket.once(event, () => resolve(socket));
  if (signal.aborted) onAbort();
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    socket.off('close', onClose);
    socket.off('error', onError);
    // Between here and undici taking the socket over, an error must not end the process; undici sees the close.
    socket.on('error', () => undefined);
  });
}

/** No file handles or ports left: our machine's trouble, not the receiver's. */
function isExhaustion(error: Error): boolean {
  const code = 'code' in error ? error.code : undefined;
  return code === 'EMFILE' || code === 'ENFILE' || code === 'ENOBUFS' || code === 'EADDRNOTAVAIL';
}
