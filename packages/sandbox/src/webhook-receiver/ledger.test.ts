import { expect, test } from 'vitest';
import { createLedger, type ReceivedWebhook } from './ledger.ts';

function webhook(webhookId: string, bytes = 10): ReceivedWebhook {
  return {
    webhookId,
    method: 'POST',
    path: '/',
    rawBody: Buffer.alloc(bytes),
    headers: {},
    verified: true,
    reason: null,
    at: 0,
    status: null,
  };
}

test('the ledger stays within its number of requests and its bytes, and the oldest leave first', () => {
  const byNumber = createLedger({ requests: 3, bytes: 1_000 });
  for (const id of ['a', 'b', 'c', 'd']) byNumber.add(webhook(id));
  expect(byNumber.all.map((kept) => kept.webhookId)).toEqual(['b', 'c', 'd']);
  expect(byNumber.countOf('a')).toBe(0);

  const byBytes = createLedger({ requests: 100, bytes: 25 });
  for (const id of ['a', 'b', 'b']) byBytes.add(webhook(id));
  expect(byBytes.all).toHaveLength(2);
  expect(byBytes.countOf('b')).toBe(2);
});
