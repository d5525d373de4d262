import type { StoredAttempt } from '@pipeline/call-store/deliveries';
import { expect, test } from 'vitest';
import { attemptLines } from './delivery-text.ts';

const AT = new Date('2025-12-09T10:30:00Z');

test.each([
  ['in 14 days and later', new Date('2025-12-23T10:30:00Z'), []],
  [
    'sooner',
    new Date('2025-12-11T10:29:00Z'),
    ['     its certificate ends 2025-12-11T10:29:00Z, 1 day after this attempt'],
  ],
])('the end of a certificate is told when it comes within 14 days: %s', (_when, certificateEndsAt, told) => {
  const lines = attemptLines(attempt({ certificateEndsAt }), false);
  expect(lines.filter((line) => line.includes('certificate'))).toEqual(told);
});

test('an attempt without TLS tells nothing of a certificate', () => {
  expect(attemptLines(attempt({}), false).join('\n')).not.toContain('certificate');
});

function attempt(more: Partial<StoredAttempt>): StoredAttempt {
  return {
    deliveryId: 'msg_1@biz_1',
    number: 1,
    at: AT,
    charged: true,
    state: 'delivered',
    nextAttemptAt: null,
    trigger: 'schedule',
    worker: 'test',
    host: 'hooks.example',
    address: '93.184.216.34',
    phases: { dns: 1, connect: 2, tls: 3, firstByte: 4, total: 5 },
    httpStatus: 204,
    code: 'delivered',
    requestHeaders: {},
    responseHeaders: {},
    responseExcerpt: null,
    traceId: null,
    ...more,
  };
}
