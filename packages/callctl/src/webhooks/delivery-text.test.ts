import type { DeliveryRow, Endpoint, StoredAttempt } from '@pipeline/call-store/deliveries';
import { describe, expect, test } from 'vitest';
import { attemptLines, rowStory } from './delivery-text.ts';

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

describe('where a row stands', () => {
  const now = new Date('2025-12-09T10:00:00Z');
  const later = new Date('2025-12-09T11:00:00Z');
  const waits = (more: Partial<Endpoint>) => rowStory(row, { ...newEndpoint, ...more }, now);

  test('is told with its next attempt, which nothing holds up', () => {
    expect(waits({})).toBe('waiting after 1 attempt, next attempt at 2025-12-09T10:30:00Z');
    expect(waits({ throttle: { until: new Date('2025-12-09T09:59:59Z'), factor: 0.5 } })).toBe(waits({}));
  });

  test('is told with the instant from which on its endpoint can be sent to, and how to end that', () => {
    const atOnce = 'at once: callctl webhooks resume biz_1 --force';
    expect(waits({ throttle: { until: later, factor: 0.5 } })).toBe(
      `waiting after 1 attempt, next attempt not before 2025-12-09T11:00:00Z: the receiver asked for a pause: nothing before 2025-12-09T11:00:00Z; ${atOnce}`,
    );
    expect(waits({ breaker: { openUntil: new Date('2025-12-09T09:00:00Z'), opened: 1 } })).toBe(
      `waiting after 1 attempt, next attempt not before 2025-12-09T10:30:00Z: the endpoint does not answer, so one probe at a time is sent, the next one now; ${atOnce}`,
    );
    expect(waits({ isDraining: true })).toContain('at most 5 a second');
  });

  test('of one that is stopped is told with what resumes it', () => {
    expect(waits({ state: 'paused', reason: 'operator' })).toMatch(/^waiting after 1 attempt: the endpoint is paused/);
    const soon = waits({ state: 'disabled', reason: 'endpoint_gone', resumesAt: later });
    expect(soon).toContain('next attempt not before 2025-12-09T11:00:00Z');
  });

  test('of a test is held up by nothing', () => {
    const forTest = { ...row, lane: 'test' as const };
    expect(rowStory(forTest, { ...newEndpoint, state: 'paused', reason: 'failing' }, now)).toContain('next attempt at');
  });

  const row: DeliveryRow = {
    id: 'msg_1@biz_1',
    webhookId: 'msg_1',
    endpointId: 'biz_1',
    businessId: 'biz_1',
    callSid: null,
    eventType: 'call.completed',
    revision: 1,
    body: null,
    bodySha256: '',
    state: 'pending',
    lease: null,
    lane: 'later',
    trigger: 'schedule',
    nextAttemptAt: AT,
    attempts: 1,
    priorAttempts: 0,
    ownFailures: null,
    openedAt: AT,
    createdAt: AT,
    updatedAt: AT,
  };
  const newEndpoint: Endpoint = {
    id: 'biz_1',
    state: 'active',
    reason: null,
    since: now,
    resumesAt: null,
    isDraining: false,
    failures: null,
    unanswered: 0,
    breaker: null,
    throttle: null,
    bucket: { tokens: 1, at: now },
    leases: [],
    firstsInRow: 0,
    limits: { ratePerSecond: 100, maxInFlight: 8 },
    waiting: { first: null, later: AT, test: null },
    nextDueAt: AT,
    version: 1,
  };
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
