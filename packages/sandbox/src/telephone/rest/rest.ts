import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TelephoneOptions } from '../account.ts';
import { notFound, restError, type RestAnswer, type RestRequest, type RestState } from './answer.ts';
import { changeCall, listCalls, showCall } from './calls.ts';
import { deleteRecording, getMedia, listRecordings, showRecording } from './recordings.ts';

/** One request that came, for whoever counts them. */
export type RestLedgerEntry = { readonly method: string; readonly path: string; readonly status: number };

/** The REST API of the telephone company on 127.0.0.1, behind HTTP Basic. */
export type Rest = { readonly url: string; readonly requests: readonly RestLedgerEntry[]; close(): Promise<void> };

/** Starts a {@link Rest}. */
export async function startRest(state: RestState): Promise<Rest> {
  const requests: RestLedgerEntry[] = [];
  const server = createServer({ requestTimeout: 30_000 }, (request, response) => {
    const serve = async (): Promise<void> => {
      const answer = await handle(request, state);
      requests.push({ method: request.method ?? '', path: request.url ?? '', status: answer.status });
      if (requests.length > MAX_LEDGER) requests.shift();
      write(response, answer);
    };
    serve().catch(() => request.socket.destroy());
  });
  const port = await listen(server, state.options.port ?? 0);
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const MAX_LEDGER = 20_000;
const MAX_FORM_BYTES = 64 * 1024;

type Route = {
  readonly method: string;
  /** The rest of the path after the account; the group is the sid. */
  readonly path: RegExp;
  readonly answer: (state: RestState, request: RestRequest, sid: string) => RestAnswer | Promise<RestAnswer>;
};

const ROUTES: readonly Route[] = [
  { method: 'GET', path: /^Calls\.json$/, answer: listCalls },
  { method: 'GET', path: /^Calls\/(CA[0-9a-f]{32})\.json$/, answer: showCall },
  { method: 'POST', path: /^Calls\/(CA[0-9a-f]{32})\.json$/, answer: changeCall },
  { method: 'GET', path: /^Calls\/(CA[0-9a-f]{32})\/Recordings\.json$/, answer: listRecordings },
  { method: 'GET', path: /^Recordings\/(RE[0-9a-f]{32})\.wav$/, answer: getMedia },
  { method: 'GET', path: /^Recordings\/(RE[0-9a-f]{32})(?:\.json)?$/, answer: showRecording },
  { method: 'DELETE', path: /^Recordings\/(RE[0-9a-f]{32})(?:\.json)?$/, answer: deleteRecording },
];

async function handle(request: IncomingMessage, state: RestState): Promise<RestAnswer> {
  const url = new URL(request.url ?? '/', 'http://telephone');
  const body = await readForm(request);
  if (body === null) return restError(413, 21_617, 'The form is too long');
  if (!isKnown(request.headers.authorization, state.options)) {
    return { ...restError(401, 20_003, 'Authenticate'), headers: { 'www-authenticate': 'Basic realm="Twilio API"' } };
  }
  const prefix = `/2010-04-01/Accounts/${state.options.accountSid}/`;
  for (const route of url.pathname.startsWith(prefix) ? ROUTES : []) {
    const found = route.path.exec(url.pathname.slice(prefix.length));
    if (found === null || route.method !== request.method) continue;
    return route.answer(state, { url, form: new URLSearchParams(body) }, found[1] ?? '');
  }
  return notFound(url.pathname);
}

/** The account's token or an API key, both as HTTP Basic. */
function isKnown(authorization: string | undefined, options: TelephoneOptions): boolean {
  const credentials = [
    `${options.accountSid}:${options.authToken}`,
    `${options.apiKeySid}:${options.apiKeySecret}`,
  ].map((pair) => `Basic ${Buffer.from(pair).toString('base64')}`);
  return authorization !== undefined && credentials.includes(authorization);
}

async function readForm(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_FORM_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function write(response: ServerResponse, answer: RestAnswer): void {
  const { status, json, file, path, isTruncated, isStalled, headers } = answer;
  const media = { ...headers, 'content-type': answer.contentType ?? 'audio/x-wav' };
  if (path !== undefined) {
    response.writeHead(status, { ...media, 'content-length': answer.bytes ?? 0 });
    const reading = createReadStream(path);
    reading.on('error', () => response.destroy());
    response.on('close', () => reading.destroy());
    reading.pipe(response);
    return;
  }
  if (file !== undefined) {
    response.writeHead(status, { ...media, 'content-length': file.length });
    if (isStalled === true) response.write(file.subarray(0, file.length >> 1));
    else if (isTruncated === true) response.write(file.subarray(0, file.length >> 1), () => response.destroy());
    else response.end(file);
    return;
  }
  if (json === undefined) {
    response.writeHead(status, { ...headers }).end();
    return;
  }
  response.writeHead(status, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify(json));
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      // A TCP server always has an address object once it listens.
      resolve((server.address() as AddressInfo).port);
    });
  });
}
