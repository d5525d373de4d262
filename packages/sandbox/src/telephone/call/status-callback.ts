import { randomUUID } from 'node:crypto';
import type { GatewayClient } from './gateway-client.ts';
import { tryWebhook, type Webhook } from './webhook-tries.ts';

/**
 * Delivers one status callback, `times` times under one idempotency token, each as often and as long as its URL allows. Returns the
 * status of every answer, 0 where there was none.
 */
export async function deliverStatus(
  client: GatewayClient,
  callback: Omit<Webhook, 'idempotencyToken'> & { readonly times: 1 | 2 },
  signal: AbortSignal,
): Promise<number[]> {
  const idempotencyToken = randomUUID();
  const statuses: number[] = [];
  for (let time = 0; time < callback.times && !signal.aborted; time += 1) {
    const { url, form, isWrong } = callback;
    const tries = await tryWebhook(client, { url, form, isWrong, idempotencyToken }, signal);
    statuses.push(...tries.statuses);
  }
  return statuses;
}
