/** One request as it came. */
export type ReceivedWebhook = {
  /** The header `webhook-id`, `null` when it is missing. */
  readonly webhookId: string | null;
  readonly method: string;
  readonly path: string;
  /** The body's bytes, untouched: what the signature covers. */
  readonly rawBody: Buffer;
  /** Names in lower case; repeated headers joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether one of the secrets made the signature, and the timestamp is within 5 minutes of now. */
  readonly verified: boolean;
  /** Why not. */
  readonly reason: string | null;
  /** Arrival, in milliseconds since 1970. */
  readonly at: number;
  /** The status that was answered, `null` while or when none was. */
  status: number | null;
};

type Fits = (webhook: ReceivedWebhook, all: readonly ReceivedWebhook[]) => boolean;

export type Ledger = {
  readonly all: readonly ReceivedWebhook[];
  add(webhook: ReceivedWebhook): void;
  countOf(webhookId: string | null): number;
  waitFor(fits: Fits, timeoutMs: number): Promise<ReceivedWebhook>;
  close(): void;
};

/** The requests in order of arrival, at most so many and so many bytes of bodies: the oldest leave first. */
export function createLedger(kept: { readonly requests: number; readonly bytes: number }): Ledger {
  const all: ReceivedWebhook[] = [];
  const counts = new Map<string | null, number>();
  const waiting = new Set<{ look(webhook: ReceivedWebhook): void; fail(why: string): void }>();
  let bytes = 0;

  return {
    all,
    add: (webhook) => {
      all.push(webhook);
      bytes += webhook.rawBody.length;
      counts.set(webhook.webhookId, (counts.get(webhook.webhookId) ?? 0) + 1);
      while (all.length > 1 && (all.length > kept.requests || bytes > kept.bytes)) {
        const oldest = all.shift();
        if (oldest === undefined) break;
        bytes -= oldest.rawBody.length;
        const left = (counts.get(oldest.webhookId) ?? 1) - 1;
        if (left === 0) counts.delete(oldest.webhookId);
        else counts.set(oldest.webhookId, left);
      }
      for (const waiter of waiting) waiter.look(webhook);
    },
    countOf: (webhookId) => counts.get(webhookId) ?? 0,
    waitFor: (fits, timeoutMs) =>
      new Promise((resolve, reject) => {
        const past = all.find((webhook) => fits(webhook, all));
        if (past !== undefined) {
          resolve(past);
          return;
        }
        const settle = (): void => {
          clearTimeout(timer);
          waiting.delete(waiter);
        };
        const waiter = {
          look: (webhook: ReceivedWebhook) => {
            if (!fits(webhook, all)) return;
            settle();
            resolve(webhook);
          },
          fail: (why: string) => {
            settle();
            reject(new Error(`${why}; received so far: ${summary(all)}`));
          },
        };
        const timer = setTimeout(() => waiter.fail(`no fitting webhook within ${timeoutMs} ms`), timeoutMs);
        waiting.add(waiter);
      }),
    close: () => {
      for (const waiter of waiting) waiter.fail('the webhook receiver was closed');
    },
  };
}

function summary(all: readonly ReceivedWebhook[]): string {
  if (all.length === 0) return 'none';
  const last = all.slice(-5).map((webhook) => `${webhook.webhookId ?? 'no id'} (${webhook.reason ?? 'verified'})`);
  return `${all.length}, the last: ${last.join(', ')}`;
}
