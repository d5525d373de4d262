import type { Endpoint } from '@pipeline/call-store/deliveries';
import { describe, expect, test } from 'vitest';
import { storedAttempt, storedEndpoint, storedRow } from '../fixtures/stored.ts';
import { attemptLines, rowStory } from './delivery-text.ts';

test.each([
  ['in 14 days and later', new Date('2025-12-23T10:30:00Z'), []],
  [
    'sooner',
    new Date('2025-12-11T10:29:00Z'),
    ['     its certificate ends 2025-12-11T10:29:00Z, 1 day after this attempt'],
  ],
])('the end of a certificate is told when it comes within 14 days: %s', (_when, certificateEndsAt, told) => {
  const lines = attemptLines(storedAttempt({ certificateEndsAt }), false);
  expect(lines.filter((line) => line.includes('certificate'))).toEqual(told);
});

test('an attempt without TLS tells nothing of a certificate', () => {
  expect(attemptLines(storedAttempt({}), false).join('\n')).not.toContain('certificate');
});

describe('where a row stands', () => {
  const now = new Date('2025-12-09T10:00:00Z');
  const later = new Date('2025-12-09T11:00:00Z');
  const waits = (more: Partial<Endpoint>) => rowStory(storedRow(), storedEndpoint(more), now);

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
    expect(
      rowStory(storedRow({ lane: 'test' }), storedEndpoint({ state: 'paused', reason: 'failing' }), now),
    ).toContain('next attempt at');
  });
});
