import type { DeliveryRow, DeliveryStore } from '@pipeline/call-store/deliveries';
import { CommandError, UsageError } from '../verb.ts';

/** The rows that an id names: a webhook's (`msg_...`), with or without `@<endpoint>`. Throws a CommandError when there is none. */
export async function findDeliveries(
  deliveries: DeliveryStore,
  typed: string,
  signal: AbortSignal,
): Promise<DeliveryRow[]> {
  if (!/^msg_[A-Za-z0-9_-]{1,124}(@[A-Za-z0-9_-]{1,64})?$/.test(typed)) {
    throw new UsageError(
      '<id> is that of a webhook, as its header webhook-id and `callctl webhooks list` have it: msg_...',
    );
  }
  const [webhookId = ''] = typed.split('@');
  const rows = (await deliveries.find(webhookId, signal)).filter((row) => !typed.includes('@') || row.id === typed);
  if (rows.length === 0) {
    throw new CommandError(
      `there is no delivery ${typed}. For a call: callctl why <callSid>; for all: callctl webhooks list`,
    );
  }
  return rows;
}
