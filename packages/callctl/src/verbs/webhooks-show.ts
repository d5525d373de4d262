import { createDeliveryStore, type DeliveryRow, type DeliveryStore } from '@pipeline/call-store/deliveries';
import type { Context, Verb } from '../verb.ts';
import { attemptLines, heldBy, rowJson, rowStory } from '../webhooks/delivery-text.ts';
import { findDeliveries } from '../webhooks/find-deliveries.ts';
import { withStore } from '../with-store.ts';

/** Shows one webhook: where it stands, every attempt, and its endpoint. */
export const webhooksShow: Verb = {
  name: 'webhooks show',
  summary: 'show one webhook: where it stands, each attempt and its endpoint',
  arguments: ['<id>'],
  options: { body: { summary: 'also the bytes that are sent, which hold what was said' } },
  run: async (context) =>
    withStore(context, async (store) => {
      const deliveries = createDeliveryStore(store);
      const rows = await findDeliveries(deliveries, context.arguments[0] ?? '', context.signal);
      const parts = await Promise.all(rows.map((row) => describe(row, deliveries, context)));
      return { json: parts.map(({ json }) => json), text: parts.map(({ text }) => text).join('\n\n') };
    }),
};

async function describe(row: DeliveryRow, deliveries: DeliveryStore, { signal, options, isTerminal }: Context) {
  const attempts = await deliveries.listAttempts(row.id, signal);
  const endpoint = await deliveries.endpoints.find(row.endpointId, signal);
  const body = options['body'] === true && row.body !== null ? row.body.toString('utf8') : null;
  const bytes = row.body === null ? 'its bytes are gone' : `${row.body.length} bytes`;
  const lines = [
    `${row.webhookId} to ${row.endpointId}`,
    `  ${row.eventType}${row.callSid === null ? '' : ` of call ${row.callSid}`}, revision ${row.revision}, ${bytes}, sha256 ${row.bodySha256}`,
    `  ${rowStory(row, endpoint)}`,
    ...(row.state === 'pending' ? [] : endpointLine(heldBy(endpoint))),
    ...attempts.flatMap((attempt) => attemptLines(attempt, isTerminal)),
    ...(body === null ? [] : ['', body]),
  ];
  const json = { ...rowJson(row), endpoint, attempts, ...(body === null ? {} : { body }) };
  return { json, text: lines.join('\n') };
}

function endpointLine(held: string | null): string[] {
  return held === null ? [] : [`  ${held}`];
}
