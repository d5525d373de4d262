import { Client, type buildConnector, type Dispatcher } from 'undici';
import type { RefusalCode, UrlPolicy } from './url-policy.ts';
import {
  ConnectionError,
  openGuardedSocket,
  type ConnectionCode,
  type ConnectionTrace,
  type SocketOptions,
} from './guarded-socket.ts';
import { withinDeadline } from './deadline.ts';
import { readBounded, visibleText, type BoundedBody } from './response-body.ts';

export type EndpointRequest = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
};

/** Why an attempt has no complete answer. */
export type SendFailure = RefusalCode | ConnectionCode | 'response_too_large' | 'response_invalid';

/** Times in milliseconds from the start of each phase; `null` where the attempt did not get that far. */
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
    }
  | { readonly kind: 'failed'; readonly code: SendFailure }
);

export type Endpoint = { send(request: EndpointRequest, signal: AbortSignal): Promise<SendResult> };

export type EndpointOptions = Omit<SocketOptions, 'policy'> & {
  readonly policy: UrlPolicy;
  /** Milliseconds for name, connection, TLS, headers and body together. */
  readonly totalTimeoutMs: number;
};

const MAX_RESPONSE_BYTES = 64 * 1_024;
const MAX_EXCERPT_BYTES = 16 * 1_024;
const MAX_HEADER_BYTES = 16 * 1_024;
const NO_PHASES: Phases = { dns: null, connect: null, tls: null, firstByte: null, total: 0 };
const KEPT_HEADERS = ['content-type', 'content-length', 'retry-after', 'server', 'date', 'webhook-delivery'];

/**
 * Sends one request over its own guarded connection. No redirect is followed, nothing is unpacked, no proxy of the environment is
 * used, and one deadline covers all of it: undici's own header and body timeouts do not stop a byte per second.
 */
export function createEndpoint(options: EndpointOptions): Endpoint {
  return {
    send: async (request, signal) => {
      const verdict = options.policy.judgeUrl(request.url);
      if (!verdict.ok) return { kind: 'failed', code: verdict.code, address: null, phases: NO_PHASES };
      const exchange = (deadline: AbortSignal) => exchangeWith(verdict, request, options, deadline);
      return withinDeadline(options.totalTimeoutMs, exchange, signal);
    },
  };
}

async function exchangeWith(
  target: Parameters<typeof openGuardedSocket>[0],
  request: EndpointRequest,
  options: EndpointOptions,
  deadline: AbortSignal,
): Promise<SendResult> {
  const begun = performance.now();
  const trace: ConnectionTrace = { address: null, dnsMs: null, connectMs: null, tlsMs: null };
  let firstByte: number | null = null;
  const seen = (): Pick<SendResult, 'address' | 'phases'> => ({
    address: trace.address,
    phases: {
      dns: rounded(trace.dnsMs),
      connect: rounded(trace.connectMs),
      tls: rounded(trace.tlsMs),
      firstByte: rounded(firstByte),
      total: Math.round(performance.now() - begun),
    },
  });
  const client = createClient(target, options, trace, deadline);
  try {
    const response = await client.request(requestOf(target.url, request, deadline));
    firstByte = performance.now() - begun;
    return { ...answered(response, await readBody(response, deadline)), ...seen() };
  } catch (error) {
    return { kind: 'failed', code: failureCode(error, deadline), ...seen() };
  } finally {
    void client.destroy().catch(() => undefined);
  }
}

function createClient(
  target: Parameters<typeof openGuardedSocket>[0],
  options: EndpointOptions,
  trace: ConnectionTrace,
  deadline: AbortSignal,
): Client {
  const open = async (callback: buildConnector.Callback): Promise<void> => {
    try {
      const socket = await openGuardedSocket(target, options, trace, deadline);
      callback(null, socket);
    } catch (error) {
      callback(error instanceof Error ? error : new ConnectionError('connection_failed'), null);
    }
  };
  return new Client(target.url.origin, {
    connect: (_options, callback) => void open(callback),
    allowH2: false,
    pipelining: 1,
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: options.totalTimeoutMs,
    bodyTimeout: options.totalTimeoutMs,
  });
}

function requestOf(url: URL, request: EndpointRequest, signal: AbortSignal): Dispatcher.RequestOptions {
  return {
    method: 'POST',
    path: `${url.pathname}${url.search}`,
    headers: request.headers,
    body: request.body,
    reset: true,
    signal,
  };
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
