import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { CallForm } from './call-forms.ts';
import { readOverrides, type TryFailure } from './connection-overrides.ts';
import type { GatewayClient, WebhookReply } from './gateway-client.ts';

/** One webhook to deliver. `url` may say in its fragment how often and how long it is tried. */
export type Webhook = {
  readonly url: string;
  readonly form: CallForm;
  readonly isWrong: boolean;
  /** One event is one token, however often it is sent. Default a fresh one. */
  readonly idempotencyToken?: string;
};

/** What became of it: the status of every try, 0 where there was no answer, and how the last one ended. */
export type WebhookTries = {
  readonly statuses: readonly number[];
  readonly last:
    | { readonly kind: 'reply'; readonly reply: WebhookReply }
    | { readonly kind: 'silence'; readonly error: unknown };
};

/** Pauses before a retry. Twilio says nothing about them; together they leave room in the 15 s of all tries. */
const PAUSES_MS = [200, 400, 800, 1_600, 2_000];

/** Sends a webhook as often and as long as its URL allows. Rejects only for a URL whose fragment Twilio would not follow. */
export async function tryWebhook(client: GatewayClient, webhook: Webhook, signal: AbortSignal): Promise<WebhookTries> {
  const { form, isWrong, idempotencyToken = randomUUID() } = webhook;
  const { url, overrides } = readOverrides(webhook.url);
  const { connectMs, readMs, retries, retriedAfter } = overrides;
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(overrides.totalMs)]);
  const statuses: number[] = [];
  for (;;) {
    const last = await client.post(url, form, { isWrong, idempotencyToken, connectMs, readMs }, inTime).then(
      (reply) => ({ kind: 'reply', reply }) as const,
      (error: unknown) => ({ kind: 'silence', error }) as const,
    );
    statuses.push(last.kind === 'reply' ? last.reply.status : 0);
    const failure = last.kind === 'reply' ? classOf(last.reply.status) : silenceOf(last.error);
    const isLast = failure === null || !retriedAfter.has(failure) || statuses.length > retries;
    if (isLast || inTime.aborted) return { statuses, last };
    await pause(PAUSES_MS[statuses.length - 1], undefined, { signal: inTime }).catch(() => {});
    if (inTime.aborted) return { statuses, last };
  }
}

function classOf(status: number): TryFailure | null {
  if (status >= 500) return '5xx';
  return status >= 400 ? '4xx' : null;
}

/** What keeps a connection, or TLS over it, from coming about. Everything else happens to one that is there. */
const NO_CONNECTION =
  /^(?:ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$|CERT|SSL|TLS/;

function silenceOf(error: unknown): TryFailure {
  if (!(error instanceof Error)) return 'rt';
  const { code } = error as Error & { readonly code?: unknown }; // what Node and undici add
  return typeof code === 'string' && NO_CONNECTION.test(code) ? 'ct' : 'rt';
}
