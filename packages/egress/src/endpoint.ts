import type { Dispatcher } from 'undici';
import { Connections, type Connection, type Target } from './connections.ts';
import { withinDeadline } from './deadline.ts';
import { ConnectionError, type ConnectionCode, type SocketOptions } from './guarded-socket.ts';
import { readBounded, visibleText, type BoundedBody } from './response-body.ts';
import type { RefusalCode, UrlPolicy } from './url-policy.ts';

export type EndpointRequest = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Called when all bytes have been given to the kernel. */
  readonly onSent?: () => void;
};

/** Why an attempt has no complete answer. */
export type SendFailure = RefusalCode | ConnectionCode | 'response_too_large' | 'response_invalid';

/** Times in milliseconds from the start of each phase; `null` where the attempt did not get that far, or used an open connection. */
export type Phases = {
  readonly dns: number | null;
  readonly connect: number | null;
  readonly tls: number | null;
  readonly firstByte: number | null;
  readonly total: number;
};

/** What happened to one request. A status of 500 is an answer; nothing that a receiver does is an exception. */
export type SendResult = { readonly address: string | null; readonly phases: Phases } & (
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** `retry-after` and `webhook-delivery` steer us, the others help a person. Values are escaped and bounded. */
      readonly headers: Readonly<Record<string, string>>;
      readonly excerpt: string;
      /** The body went on beyond the cap: it was dropped and the connection with it. */
      readonly tooLarge: boolean;
      /** Until when the certificate of its connection is valid; absent without TLS. */
      readonly certificateEndsAt?: Date;
    }
  | { readonly kind: 'failed'; readonly code: SendFailure }
);

export type Endpoint = {
  send(request: EndpointRequest, signal: AbortSignal): Promise<SendResult>;
  /** Ends idle connections. */
  close(): void;
};

export type EndpointOptions = Omit<SocketOptions, 'policy'> & {
  readonly policy: UrlPolicy;
  /** Milliseconds for name, connection, TLS, headers and body together. */
  readonly totalTimeoutMs: number;
};

const MAX_RESPONSE_BYTES = 64 * 1_024;
const MAX_EXCERPT_BYTES = 16 * 1_024;
const NO_PHASES: Phases = { dns: null, connect: null, tls: null, firstByte: null, total: 0 };
const KEPT_HEADERS = ['content-type', 'content-length', 'retry-after', 'server', 'date', 'webhook-delivery'];

type Exchange = {
  readonly target: Target;
  readonly request: EndpointRequest;
  readonly connections: Connections;
  readonly deadline: AbortSignal;
  readonly begun: number;
};

/**
 * Sends one request over a guarded connection. No redirect is followed, nothing is unpacked, no proxy of the environment is
 * used, and one deadline covers all of it: undici's own header and body timeouts do not stop a byte per second.
 */
export function createEndpoint(options: EndpointOptions): Endpoint {
  const connections = new Connections({ ...options, timeoutMs: options.totalTimeoutMs });
  return {
    send: async (request, signal) => {
      const verdict = options.policy.judgeUrl(request.url);
      if (!verdict.ok) return { kind: 'failed', code: verdict.code, address: null, phases: NO_PHASES };
      const begun = performance.now();
      return withinDeadline(
        options.totalTimeoutMs,
        (deadline) => exchange({ target: verdict, request, connections, deadline, begun }),
        signal,
      );
    },
    close: () => connections.close(),
  };
}

/** A connection that was idle may be closed at the other end in this very moment: then a new one is made, once. */
async function exchange(work: Exchange): Promise<SendResult> {
  const idle = work.connections.reuse(work.target);
  const result = idle === null ? null : await exchangeOver(idle, work);
  return result ?? (await exchangeOver(work.connections.open(work.target, work.deadline), work)) ?? cut(work);
}

/** Null when a connection that had been used before ended without a byte of an answer. */
async function exchangeOver(connection: Connection, work: Exchange): Promise<SendResult | null> {
  const { connections, deadline, begun } = work;
  const { trace, isReused } = connection;
  let firstByte: number | null = null;
  const seen = (): Pick<SendResult, 'address' | 'phases'> => ({
    address: trace.address,
    phases: {
      dns: isReused ? null : rounded(trace.dnsMs),
      connect: isReused ? null : rounded(trace.connectMs),
      tls: isReused ? null : rounded(trace.tlsMs),
      firstByte: rounded(firstByte),
      total: Math.round(performance.now() - begun),
    },
  });
  try {
    const response = await post(connection, work);
    firstByte = performance.now() - begun;
    const body = await readBody(response, deadline);
    if (body.tooLarge) connections.drop(connection);
    else connections.keep(connection);
    const { certificateEndsAt } = trace;
    return { ...answered(response, body), ...(certificateEndsAt && { certificateEndsAt }), ...seen() };
  } catch (error) {
    connections.drop(connection);
    const code = failureCode(error, deadline);
    const isStale = isReused && firstByte === null && code === 'connection_failed';
    return isStale ? null : { kind: 'failed', code, ...seen() };
  }
}

function post({ client }: Connection, { target, request, deadline }: Exchange): Promise<Dispatcher.ResponseData> {
  const { onSent } = request;
  const sender = onSent === undefined ? client : client.compose(tellSent(onSent));
  return sender.request({
    method: 'POST',
    path: `${target.url.pathname}${target.url.search}`,
    headers: request.headers,
    body: request.body,
    signal: deadline,
  });
}

function tellSent(onSent: () => void): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) =>
    dispatch(options, Object.assign(handler, { onRequestSent: () => onSent() }));
}

function readBody(response: Dispatcher.ResponseData, deadline: AbortSignal): Promise<BoundedBody> {
  return readBounded(response.body, { maxBytes: MAX_RESPONSE_BYTES, keepBytes: MAX_EXCERPT_BYTES }, deadline);
}

function answered(response: Dispatcher.ResponseData, body: BoundedBody) {
  return {
    kind: 'answered' as const,
    status: response.statusCode,
    headers: keptHeaders(response.headers),
    excerpt: body.excerpt,
    tooLarge: body.tooLarge,
  };
}

function cut({ begun }: Exchange): SendResult {
  const phases = { ...NO_PHASES, total: Math.round(performance.now() - begun) };
  return { kind: 'failed', code: 'connection_failed', address: null, phases };
}

function keptHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(
    KEPT_HEADERS.flatMap((name) => {
      const value = headers[name];
      const first = Array.isArray(value) ? value[0] : value;
      return first === undefined ? [] : [[name, visibleText(first).slice(0, 256)]];
    }),
  );
}

/** Codes of undici and of Node's HTTP parser, read here and nowhere else. */
function failureCode(error: unknown, deadline: AbortSignal): SendFailure {
  if (error instanceof ConnectionError) return error.code;
  if (deadline.aborted) return 'timeout';
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return 'response_too_large';
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') return 'timeout';
  // The parser's errors carry a name and no code.
  if (error instanceof Error && error.name === 'HTTPParserError') return 'response_invalid';
  return 'connection_failed';
}

function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms);
}
