import { describe, expect, it } from 'vitest';
import type { SendFailure, SendResult } from '@pipeline/egress';
import { publicReason } from '@pipeline/contracts/webhook';
import { judge } from './outcome.ts';

const NOW = Date.parse('2025-12-09T10:30:00Z');
const HOUR = 3_600_000;

describe('what an answer means', () => {
  it.each([200, 201, 202, 204, 299])('delivers at %d', (status) => {
    expect(judge(answer(status), NOW)).toEqual({ kind: 'delivered', code: 'delivered' });
  });

  it.each([301, 302, 303, 307, 308])('takes the redirect %d as a failure', (status) => {
    const headers = { location: 'https://169.254.169.254/' };
    expect(judge(answer(status, headers), NOW)).toMatchObject({
      kind: 'failed',
      code: 'redirect_not_followed',
      lane: 'normal',
    });
  });

  it('stops at 410, and at the wish of the receiver', () => {
    expect(judge(answer(410), NOW)).toEqual({ kind: 'disabled', code: 'endpoint_gone' });
    expect(judge(answer(500, { 'webhook-delivery': 'disable' }), NOW)).toMatchObject({ kind: 'disabled' });
    expect(judge(answer(400, { 'webhook-delivery': 'abort-message' }), NOW)).toMatchObject({ kind: 'cancelled' });
    expect(judge(answer(200, { 'webhook-delivery': 'disable' }), NOW)).toMatchObject({ kind: 'delivered' });
  });

  it.each([400, 401, 403, 404, 405, 413, 422, 451])('asks again in the slow lane after %d', (status) => {
    expect(judge(answer(status), NOW)).toMatchObject({ kind: 'failed', code: 'http_4xx', lane: 'slow', isOurs: false });
  });

  it.each([408, 425, 429, 500, 502, 503, 504, 599])('asks again on schedule after %d', (status) => {
    expect(judge(answer(status), NOW)).toMatchObject({ kind: 'failed', lane: 'normal', isOurs: false });
  });

  it.each([429, 502, 503, 504])('honours Retry-After on %d, in seconds and as a date', (status) => {
    expect(judge(answer(status, { 'retry-after': '120' }), NOW)).toMatchObject({ retryAfterMs: 120_000 });
    const date = new Date(NOW + 90_000).toUTCString();
    expect(judge(answer(status, { 'retry-after': date }), NOW)).toMatchObject({ retryAfterMs: 90_000 });
    expect(judge(answer(status, { 'retry-after': 'soon' }), NOW)).toMatchObject({ retryAfterMs: null });
  });

  it.each([-3 * HOUR, -1, 0, 5 * HOUR, -20_000 * HOUR])(
    'takes the date of Retry-After by the clock of the receiver, which is %d ms off ours',
    (offMs) => {
      const date = new Date(NOW + offMs).toUTCString();
      const until = (ms: number): string => new Date(Date.parse(date) + ms).toUTCString();
      const asked = (ms: number) => judge(answer(503, { date, 'retry-after': until(ms) }), NOW);
      expect(asked(90_000)).toMatchObject({ retryAfterMs: 90_000 });
      expect(asked(-90_000)).toMatchObject({ retryAfterMs: 0 });
      expect(asked(400 * HOUR)).toMatchObject({ retryAfterMs: 24 * HOUR });
      // Seconds are seconds, whatever the clocks say.
      expect(judge(answer(503, { date, 'retry-after': '120' }), NOW)).toMatchObject({ retryAfterMs: 120_000 });
    },
  );

  it('takes the date of Retry-After by our clock when the answer has no date that can be read', () => {
    const until = new Date(NOW + 90_000).toUTCString();
    for (const date of ['', 'yesterday']) {
      expect(judge(answer(429, { date, 'retry-after': until }), NOW)).toMatchObject({ retryAfterMs: 90_000 });
    }
  });

  it.each([400, 500])('ignores Retry-After on %d', (status) => {
    expect(judge(answer(status, { 'retry-after': '120' }), NOW)).toMatchObject({ retryAfterMs: null });
  });

  it('V111: a success whose body never ends is delivered, a failure whose body never ends is a failure', () => {
    expect(judge({ ...answer(200), tooLarge: true }, NOW)).toMatchObject({ kind: 'delivered' });
    expect(judge({ ...answer(500), tooLarge: true }, NOW)).toMatchObject({
      kind: 'failed',
      code: 'response_too_large',
    });
  });

  it.each(['dns_error', 'dns_timeout', 'sender_exhausted'] as const)(
    'does not charge %s, our own failure, to the receiver',
    (code) => {
      expect(judge(failure(code), NOW)).toMatchObject({ kind: 'failed', code, isOurs: true });
    },
  );

  it.each(['timeout', 'connection_failed', 'tls_error', 'ip_blocked', 'dns_no_address'] as const)(
    'retries %s like every other failure to connect',
    (code) => {
      expect(judge(failure(code), NOW)).toEqual({
        kind: 'failed',
        code,
        lane: 'normal',
        retryAfterMs: null,
        isOurs: false,
      });
    },
  );

  it('V114: says the same words for a refused address, a closed port and silence', () => {
    const words = new Set(
      (['ip_blocked', 'connection_failed', 'timeout', 'tls_error', 'dns_error'] as const).map(publicReason),
    );
    expect(words.size).toBe(1);
    expect(words).not.toContain(publicReason('http_5xx'));
  });
});

const SEEN = { address: null, phases: { dns: null, connect: null, tls: null, firstByte: null, total: 1 } };

function answer(status: number, headers: Record<string, string> = {}): Extract<SendResult, { kind: 'answered' }> {
  return { kind: 'answered', status, headers, excerpt: '', tooLarge: false, ...SEEN };
}

function failure(code: SendFailure): SendResult {
  return { kind: 'failed', code, ...SEEN };
}
