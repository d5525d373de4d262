import type { IncomingMessage, ServerResponse } from 'node:http';

/** How a request is answered. Times in milliseconds. */
export type WebhookAnswer =
  | {
      readonly kind?: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      /** The body, or how many bytes of it to make up (a body too large to keep). */
      readonly body?: string | Buffer | { readonly bytes: number };
      /** Time before the status line. */
      readonly delayMs?: number;
      /** The body byte by byte with this pause, so that an endless read shows. */
      readonly dripMs?: number;
    }
  /** Reads the request and never answers. */
  | { readonly kind: 'hang' }
  /** Reads the request and cuts the connection. */
  | { readonly kind: 'drop' };

const FILLER = Buffer.alloc(64 * 1024, 0x20);

/** Answers one request; `onStatus` is told when the status line leaves. Ends early when the client goes away. */
export async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  decided: number | WebhookAnswer,
  onStatus: (status: number) => void,
): Promise<void> {
  const wanted = typeof decided === 'number' ? ({ status: decided } as const) : decided;
  if (wanted.kind === 'hang') return;
  if (wanted.kind === 'drop') {
    request.socket.destroy();
    return;
  }
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  if (wanted.delayMs !== undefined) await pause(wanted.delayMs, gone.signal);
  if (gone.signal.aborted) return;
  onStatus(wanted.status);
  response.writeHead(wanted.status, { ...wanted.headers });
  if (wanted.dripMs === undefined) await write(response, wanted.body, gone.signal);
  else await drip(response, wanted.body, wanted.dripMs, gone.signal);
  if (!gone.signal.aborted) response.end();
}

type Body = string | Buffer | { readonly bytes: number } | undefined;

async function write(response: ServerResponse, body: Body, gone: AbortSignal): Promise<void> {
  if (body === undefined) return;
  if (typeof body === 'string' || Buffer.isBuffer(body)) {
    response.write(body);
    return;
  }
  for (let left = body.bytes; left > 0 && !gone.aborted; left -= FILLER.length) {
    if (!response.write(FILLER.subarray(0, Math.min(left, FILLER.length)))) await drained(response, gone);
  }
}

async function drip(response: ServerResponse, body: Body, everyMs: number, gone: AbortSignal): Promise<void> {
  const made = body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body);
  const bytes = made ? null : Buffer.from(body ?? '');
  const length = bytes?.length ?? (made ? body.bytes : 0);
  for (let at = 0; at < length && !gone.aborted; at++) {
    response.write(bytes === null ? ' ' : bytes.subarray(at, at + 1));
    await pause(everyMs, gone);
  }
}

function drained(response: ServerResponse, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      response.off('drain', settle);
      gone.removeEventListener('abort', settle);
      resolve();
    };
    response.once('drain', settle);
    gone.addEventListener('abort', settle);
  });
}

function pause(ms: number, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      clearTimeout(timer);
      gone.removeEventListener('abort', settle);
      resolve();
    };
    const timer = setTimeout(settle, ms);
    gone.addEventListener('abort', settle);
  });
}
