import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLedger, type ReceivedWebhook } from './ledger.ts';
import { answer, type WebhookAnswer } from './answers.ts';
import { createVerifier } from './verifier.ts';

/** A request with more bytes than this is answered 413 and not kept. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;
/** How many requests and how many body bytes the ledger keeps; the oldest leave first. */
const KEPT = { requests: 20_000, bytes: 256 * 1024 * 1024 };

export type WebhookReceiverOptions = {
  /** The port to listen on, 0 or absent for a free one. It stays the same over `stop` and `start`. */
  readonly port?: number;
  /** Secrets (`whsec_...`) of which any may have signed. */
  readonly secrets: readonly string[];
};

/** What to do with a request: a status, a whole answer, or a rule that decides for each; `count` is how often this webhook id came. */
export type WebhookRule =
  | number
  | WebhookAnswer
  | ((webhook: ReceivedWebhook, count: number) => number | WebhookAnswer);

/** A consumer of webhooks on 127.0.0.1 that keeps the raw bytes of every request, verifies them and answers as told. */
export type WebhookReceiver = {
  /** Where to send webhooks, for example `http://127.0.0.1:40123/webhooks`. Any path is taken. */
  readonly url: string;
  /** Requests in order of arrival, whatever was answered. */
  readonly received: readonly ReceivedWebhook[];
  /** Sets the answer to requests that come from now on. Default 204. */
  respond(rule: WebhookRule): void;
  /** The first request, past or future, that fits. Rejects with what came instead when `timeoutMs` have passed. */
  waitFor(
    fits: (webhook: ReceivedWebhook, all: readonly ReceivedWebhook[]) => boolean,
    timeoutMs: number,
  ): Promise<ReceivedWebhook>;
  /** Closes the port and every connection, as an endpoint that is down. */
  stop(): Promise<void>;
  /** Opens the same port again. */
  start(): Promise<void>;
  /** Ends everything, waiting calls of `waitFor` included. */
  close(): Promise<void>;
};

/** Starts a {@link WebhookReceiver}. Rejects when the port is taken. */
export async function startWebhookReceiver(options: WebhookReceiverOptions): Promise<WebhookReceiver> {
  const ledger = createLedger(KEPT);
  const verify = createVerifier(options.secrets);
  let rule: WebhookRule = 204;
  let server: Server | undefined;

  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const rawBody = await readBody(request);
    if (rawBody === null) {
      response.writeHead(413, { connection: 'close' }).end();
      return;
    }
    const headers = singleHeaders(request);
    const webhook: ReceivedWebhook = {
      webhookId: headers['webhook-id'] ?? null,
      method: request.method ?? 'GET',
      path: request.url ?? '/',
      rawBody,
      headers,
      ...verify(rawBody, headers),
      at: Date.now(),
      status: null,
    };
    ledger.add(webhook);
    const decided = typeof rule === 'function' ? rule(webhook, ledger.countOf(webhook.webhookId)) : rule;
    await answer(request, response, decided, (status) => {
      webhook.status = status;
    });
  };

  const listen = (port: number): Promise<number> => {
    const listening = createServer((request, response) => {
      receive(request, response).catch(() => request.socket.destroy());
    });
    server = listening;
    return open(listening, port);
  };
  const stop = async (): Promise<void> => {
    const stopping = server;
    server = undefined;
    if (stopping !== undefined) await shut(stopping);
  };

  const port = await listen(options.port ?? 0);
  return {
    url: `http://127.0.0.1:${port}/webhooks`,
    received: ledger.all,
    respond: (next) => {
      rule = next;
    },
    waitFor: ledger.waitFor,
    stop,
    start: async () => {
      if (server === undefined) await listen(port);
    },
    close: async () => {
      ledger.close();
      await stop();
    },
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function singleHeaders(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}

function open(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      // A TCP server always has an address object once it listens.
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function shut(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
