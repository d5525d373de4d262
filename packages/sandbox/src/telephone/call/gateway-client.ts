import { randomUUID } from 'node:crypto';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
import { Agent, request } from 'undici';
import type { TelephoneOptions } from '../account.ts';

/** What a connection and an answer over it may take, and how much of an answer is read. Twilio's numbers. */
const CONNECT_MS = 5_000;
const READ_MS = 15_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/** An answer to a webhook. */
export type WebhookReply = { readonly status: number; readonly text: string };

/** Requests to the gateway as Twilio makes them: a signed form, or a signed upgrade. URLs are the public ones. */
export type GatewayClient = {
  /** Posts a form, once. `isWrong` signs it with a foreign token. Rejects when there is no answer in time or it is too long. */
  post(
    url: string,
    fields: Readonly<Record<string, string>>,
    options: PostOptions,
    signal: AbortSignal,
  ): Promise<WebhookReply>;
  /** Where to connect for a public `wss` URL, and the headers of the upgrade. */
  upgrade(
    url: string,
    callSid: string,
    isWrong: boolean,
  ): { readonly url: string; readonly headers: Readonly<Record<string, string>> };
  close(): Promise<void>;
};

/** Two requests of one event carry one `idempotencyToken`. */
export type PostOptions = {
  readonly isWrong?: boolean;
  readonly idempotencyToken?: string;
  /** Default 5 s. */
  readonly connectMs?: number;
  /** From the request to the end of the answer, default 15 s. */
  readonly readMs?: number;
};

/** Makes a {@link GatewayClient} with connections of its own. */
export function createGatewayClient(
  options: Pick<TelephoneOptions, 'authToken' | 'publicBaseUrl' | 'gatewayUrl'>,
): GatewayClient {
  // One for each connect timeout that a URL asks for: undici has none for a request.
  const agents = new Map<number, Agent>();
  const agentFor = (connectMs: number): Agent => {
    const agent = agents.get(connectMs) ?? new Agent({ connections: 256, connect: { timeout: connectMs } });
    agents.set(connectMs, agent);
    return agent;
  };
  const target = (url: URL, callSid: string): URL => {
    if (url.host !== new URL(options.publicBaseUrl).host) return url;
    const { gatewayUrl = options.publicBaseUrl } = options;
    const real = typeof gatewayUrl === 'string' ? gatewayUrl : gatewayUrl(callSid, url.pathname);
    return new URL(`${url.pathname}${url.search}`, real);
  };
  const sign = (url: string, fields: Readonly<Record<string, string>>, isWrong = false): string =>
    getExpectedTwilioSignature(isWrong ? 'a-foreign-auth-token' : options.authToken, url, { ...fields });

  return {
    post: async (url, fields, post, signal) => {
      const { isWrong, idempotencyToken = randomUUID(), connectMs = CONNECT_MS, readMs = READ_MS } = post;
      const response = await request(target(new URL(url), fields['CallSid'] ?? ''), {
        method: 'POST',
        dispatcher: agentFor(connectMs),
        signal: AbortSignal.any([signal, AbortSignal.timeout(readMs)]),
        headers: {
          host: new URL(url).host,
          'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
          'user-agent': 'TwilioProxy/1.1',
          'i-twilio-idempotency-token': idempotencyToken,
          'x-twilio-signature': sign(url, fields, isWrong),
        },
        body: new URLSearchParams(fields).toString(),
      });
      return { status: response.statusCode, text: await readText(response.body) };
    },
    upgrade: (url, callSid, isWrong) => {
      const real = target(new URL(url), callSid);
      real.protocol = real.protocol === 'http:' ? 'ws:' : 'wss:';
      return {
        url: real.href,
        headers: { host: new URL(url).host, 'x-twilio-signature': sign(url, {}, isWrong) },
      };
    },
    close: async () => void (await Promise.all([...agents.values()].map((agent) => agent.destroy()))),
  };
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error('the answer to a webhook is longer than 64 KiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
