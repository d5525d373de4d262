import { randomBytes } from 'node:crypto';
import type { NewDelivery } from '@pipeline/call-store/deliveries';
import { WEBHOOK_SCHEMA_VERSION, webhookId, webhookInstant, type WebhookTest } from '@pipeline/contracts/webhook';

/** A `webhook.test` for a business, each with an id of its own. It has a lane of its own too: a pause does not hold it up. */
export function testDelivery(businessId: string, at: Date): NewDelivery {
  const body: WebhookTest = {
    event_type: 'webhook.test',
    timestamp: webhookInstant(at),
    business_id: businessId,
    message: 'This is a test. It is about no call.',
    schema_version: WEBHOOK_SCHEMA_VERSION,
  };
  return {
    webhookId: webhookId({ type: 'webhook.test', nonce: randomBytes(12).toString('hex') }),
    endpointId: businessId,
    businessId,
    callSid: null,
    eventType: 'webhook.test',
    revision: 1,
    body: Buffer.from(JSON.stringify(body), 'utf8'),
    lane: 'test',
    trigger: 'manual',
  };
}
