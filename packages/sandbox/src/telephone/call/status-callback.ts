import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { CallForm } from './call-forms.ts';
import type { GatewayClient } from './gateway-client.ts';

/** Pauses before each repetition. */
const RETRY_MS = [200, 400, 800, 1_600];

/**
 * Delivers one status callback; repeats on 5xx and on errors of the network under the same idempotency token. Returns the
 * status of every answer, 0 where there was none. Never rejects.
 */
export async function deliverStatus(
  client: GatewayClient,
  request: { readonly url: string; readonly form: CallForm; readonly isWrong: boolean; readonly times: 1 | 2 },
  signal: AbortSignal,
): Promise<number[]> {
  const idempotencyToken = randomUUID();
  const statuses: number[] = [];
  for (let time = 0; time < request.times; time += 1) {
    for (const waitMs of [0, ...RETRY_MS]) {
      if (waitMs > 0) await pause(waitMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return statuses;
      const status = await client
        .post(request.url, request.form, { isWrong: request.isWrong, idempotencyToken }, signal)
        .then(
          (reply) => reply.status,
          () => 0,
        );
      statuses.push(status);
      if (status >= 200 && status < 500) break;
    }
  }
  return statuses;
}
