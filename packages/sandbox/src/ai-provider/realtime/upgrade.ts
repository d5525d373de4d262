import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Dialogue } from '../../dialogues/dialogue.ts';
import { ApiError } from '../api-error.ts';
import { isAuthorized } from '../authorize.ts';
import { statusError } from '../exchange.ts';
import type { Faults } from '../faults.ts';
import type { Ledger, LedgerEntry } from '../ledger.ts';
import { findModel } from '../models.ts';
import type { Pace, SessionSocket } from './context.ts';
import { openSession } from './session.ts';

export type RealtimeDeps = {
  readonly apiKey: string;
  readonly dialogues: readonly Dialogue[];
  readonly faults: Faults;
  readonly ledger: Ledger;
  readonly pace: Pace;
};

const PATH = '/v1/realtime';
/** One append of 15 MiB as base64, and the JSON around it. */
const MAX_FRAME_BYTES = 21 * 1_024 * 1_024;
/** A client that does not read what it is sent. */
const MAX_BUFFERED_BYTES = 32 * 1_024 * 1_024;
/** How the API closes a session that it never began. */
const REFUSED = 4_000;

/** Serves `wss .../v1/realtime?model=` on the server of the HTTP routes. The returned function ends every session. */
export function serveRealtime(server: Server, deps: RealtimeDeps): () => void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false });
  server.on('upgrade', (request, socket, head) => {
    const url = new URL(request.url ?? '/', 'http://sandbox');
    const entry = deps.ledger.open('realtime', 0, request);
    entry.model = url.searchParams.get('model');
    const refusal = refusalOf(url.pathname, request, entry, deps);
    if (refusal !== undefined) {
      entry.status = refusal.status;
      return refuse(socket, refusal);
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      entry.status = 101;
      begin(client, request, entry, deps);
    });
  });
  return () => {
    for (const client of sockets.clients) client.terminate();
    sockets.close();
  };
}

function refusalOf(
  path: string,
  request: IncomingMessage,
  entry: LedgerEntry,
  deps: RealtimeDeps,
): ApiError | undefined {
  if (path !== PATH) return new ApiError(404, `Invalid URL (GET ${path})`);
  if (!isAuthorized(request.headers.authorization, deps.apiKey)) {
    return new ApiError(401, 'Incorrect API key provided.', { code: 'invalid_api_key' });
  }
  const fault = deps.faults.take('realtime', { model: entry.model ?? '', text: '' }, ['status']);
  return fault?.kind === 'status' ? statusError(fault) : undefined;
}

function refuse(socket: Duplex, error: ApiError): void {
  const body = JSON.stringify({ error: error.body() });
  const retryAfter = error.retryAfter === undefined ? [] : [`Retry-After: ${error.retryAfter}`];
  const head = [
    `HTTP/1.1 ${error.status} Refused`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...retryAfter,
    'Connection: close',
  ];
  socket.on('error', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function begin(client: WebSocket, request: IncomingMessage, entry: LedgerEntry, deps: RealtimeDeps): void {
  const socket = socketOf(client);
  const error = shapeError(request, entry.model);
  if (error !== undefined) {
    socket.send(JSON.stringify({ type: 'error', error: { ...error.body(), event_id: null } }));
    return socket.close(REFUSED, `${error.body().type}.${error.code}`);
  }
  const model = entry.model ?? '';
  if (deps.faults.take('realtime', { model, text: '' }, ['hang'])) return;
  const session = openSession(socket, {
    model,
    dialogues: deps.dialogues,
    faults: deps.faults,
    entry,
    pace: deps.pace,
  });
  client.on('message', (frame, isBinary) => {
    // ws hands over a Buffer because `binaryType` keeps its default.
    if (!isBinary) session.receive((frame as Buffer).toString('utf8'));
  });
  client.on('close', () => session.end());
}

function socketOf(client: WebSocket): SessionSocket {
  client.on('error', () => client.terminate());
  return {
    send: (frame) => {
      if (client.bufferedAmount > MAX_BUFFERED_BYTES) return client.terminate();
      if (client.readyState === client.OPEN) client.send(frame);
    },
    close: (code, reason) => client.close(code, reason),
    drop: () => client.terminate(),
  };
}

/** What the API reports on the open socket: the header of its beta, or a model that it does not have. */
function shapeError(request: IncomingMessage, model: string | null): ApiError | undefined {
  if (request.headers['openai-beta'] !== undefined) {
    return new ApiError(400, 'The Realtime Beta API is no longer supported.', { code: 'beta_api_shape_disabled' });
  }
  try {
    findModel(model ?? '', 'realtime');
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}
