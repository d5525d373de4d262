import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { testDelivery } from './test-delivery.ts';

test('a test event is the sample that consumers are given, byte by byte, under an id of its own', () => {
  const sample = readFileSync(
    new URL('../../../contracts/webhooks/payloads/webhook.test.json', import.meta.url),
    'utf8',
  );
  const at = new Date('2025-12-09T10:30:00.900Z');
  const [first, second] = [testDelivery('biz_123', at), testDelivery('biz_123', at)];
  expect(Buffer.from(first.body).toString('utf8')).toBe(sample);
  expect(first.webhookId).toMatch(/^msg_test_[0-9a-f]{24}$/);
  expect(second.webhookId).not.toBe(first.webhookId);
});
