import { setTimeout as delay } from 'node:timers/promises';
import { createDeliveryStore, type DeliveryRow, type DeliveryStore } from '@pipeline/call-store/deliveries';
import { CommandError, UsageError, type Context, type Result, type Verb } from '../verb.ts';
import { businessIdOf, settingsWithUrl } from '../webhooks/change-endpoint.ts';
import { testDelivery } from '../webhooks/test-delivery.ts';
import { attemptLines, heldBy, isOurFault } from '../webhooks/delivery-text.ts';
import { withStore } from '../with-store.ts';

const POLL_MS = 250;
/** When nobody has begun by then, the dispatcher is probably not there. */
const HINT_AFTER_MS = 8_000;
const MAX_WAIT_S = 600;

/** Sends a `webhook.test` to a business by the way of every webhook, and tells what came of it. */
export const webhooksTest: Verb = {
  name: 'webhooks test',
  summary: 'send a webhook.test to a business by the way of every webhook, wait, and say what came of it',
  arguments: ['<businessId>'],
  options: { wait: { value: '<seconds>', summary: 'how long to wait for the outcome', default: '60' } },
  run: async (context) => {
    const businessId = businessIdOf(context);
    const seconds = Number(context.options['wait']);
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > MAX_WAIT_S) {
      throw new UsageError(`--wait takes whole seconds from 1 to ${MAX_WAIT_S}`);
    }
    return withStore(context, async (store) => {
      const settings = await settingsWithUrl(store, businessId, context.signal);
      const deliveries = createDeliveryStore(store);
      const test = testDelivery(businessId, new Date());
      await deliveries.freeze(test, { kind: 'due' }, context.signal);
      context.progress(`${test.webhookId} is on its way to ${hostOf(settings.inbound_webhook_url)}`);
      const row = await settled(deliveries, test.webhookId, seconds * 1_000, context);
      return outcome(deliveries, row, context);
    });
  },
};

/** The row once nothing more happens to it. Throws a CommandError when that takes too long. */
async function settled(deliveries: DeliveryStore, id: string, waitMs: number, context: Context): Promise<DeliveryRow> {
  const begun = performance.now();
  let last = '';
  for (;;) {
    const [row] = await deliveries.find(id, context.signal);
    if (row !== undefined && row.state !== 'pending' && row.state !== 'delivering') return row;
    const waited = performance.now() - begun;
    if (waited > waitMs) {
      throw new CommandError(
        `nothing came of ${id} within ${waitMs / 1_000} s. Is webhook-dispatcher running? Look again: callctl webhooks show ${id}`,
      );
    }
    const isSent = row?.state === 'delivering';
    const isLate = !isSent && waited > HINT_AFTER_MS;
    const line = isSent ? 'it is being sent' : isLate ? 'nobody sends it yet: is webhook-dispatcher running?' : last;
    if (line !== last) context.progress(line);
    last = line;
    await delay(POLL_MS, undefined, { signal: context.signal });
  }
}

async function outcome(deliveries: DeliveryStore, row: DeliveryRow, context: Context): Promise<Result> {
  const [attempt] = (await deliveries.listAttempts(row.id, context.signal)).slice(-1);
  const held = heldBy(await deliveries.endpoints.find(row.endpointId, context.signal));
  const ok = row.state === 'delivered';
  const isOurs = !ok && isOurFault(attempt);
  const json = { id: row.webhookId, businessId: row.businessId, state: row.state, isOurs, attempt: attempt ?? null };
  const failed = isOurs
    ? 'it failed on our side, and says nothing of the endpoint. Look into the log of webhook-dispatcher, and test again'
    : `the endpoint did not take it (${row.state}). Tests are tried once; mend it and test again`;
  const lines = [
    ok ? 'the endpoint took it and answered 2xx; that it verified the signature only it can tell' : failed,
    ...(attempt === undefined ? [] : attemptLines(attempt, context.isTerminal)),
    ...(held === null ? [] : [held]),
  ];
  return { ok, json, text: lines.join('\n') };
}

function hostOf(url: string | null): string {
  return url !== null && URL.canParse(url) ? new URL(url).host : 'the endpoint';
}
