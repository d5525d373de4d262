import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { ArrivedWebhook } from '@pipeline/egress';
import { CommandError } from '../verb.ts';

/** A request with more bytes than this is answered 413: webhooks stay below a quarter of it. */
const MAX_BODY_BYTES = 1_048_576;
/** Milliseconds that a request may take to arrive. */
const REQUEST_MS = 15_000;

/** Answers one webhook with a status. */
export type OnWebhook = (arrived: ArrivedWebhook) => Promise<number>;

/** A receiver on this machine alone. */
export type LocalReceiver = { readonly url: string; close(): Promise<void> };

/** Listens on 127.0.0.1 and hands over each POST with its raw bytes, one after another. Throws a CommandError when the port is taken. */
export async function startLocalReceiver(port: number, onWebhook: OnWebhook): Promise<LocalReceiver> {
  let last: Promise<unknown> = Promise.resolve();
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, (request, response) => {
    void readBody(request).then(
      (body) => {
        if (request.method !== 'POST') return answer(response, 405);
        if (body === null) return answer(response, 413);
        const arrived = { headers: headersOf(request), body };
        last = last
          .then(() => onWebhook(arrived))
          .then(
            (status) => answer(response, status),
            () => answer(response, 500),
          );
        return last;
      },
      () => request.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  }).catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`cannot listen on port ${port} (${error.code ?? 'unknown'}): give another one with --port`);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://127.0.0.1:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function headersOf(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}

/** The whole body, or null when it is larger than allowed. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part = Buffer.from(chunk); // http yields Buffers, its type says any
    bytes += part.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(part);
  }
  return bytes > MAX_BODY_BYTES ? null : Buffer.concat(chunks);
}

function answer(response: ServerResponse, status: number): void {
  response.writeHead(status).end();
}
