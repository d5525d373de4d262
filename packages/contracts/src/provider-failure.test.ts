import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PermanentError, RetryLaterError } from './failures.ts';
import { parseRetryAfter, providerFailure } from './provider-failure.ts';

const now = Date.parse('2025-12-09T10:30:00Z');
const failureOf = (answer: { status?: number; code?: string; param?: string; retryAfter?: string }) =>
  providerFailure({ provider: 'test', ...answer }, now);

describe('what a failure of a provider means', () => {
  test.each([undefined, 408, 409, 425, 429, 500, 502, 503, 504, 529])('status %s is tried again', (status) => {
    const failure = failureOf(status === undefined ? {} : { status });
    expect(failure).toBeInstanceOf(RetryLaterError);
    expect(failure).toMatchObject({ pause: undefined, deadline: 'provider', code: 'PROVIDER_UNAVAILABLE' });
  });

  test.each([
    [{ status: 401 }, 'credentials'],
    [{ status: 403 }, 'credentials'],
    [{ status: 404 }, 'model'],
    [{ status: 429, code: 'insufficient_quota' }, 'quota'],
    [{ status: 400, code: 'model_not_found' }, 'model'],
    [{ status: 400, param: 'model' }, 'model'],
  ])('%o pauses the stage and has no deadline, so no call is given up for a key of ours', (answer, pause) => {
    expect(failureOf(answer)).toMatchObject({ pause, deadline: 'none' });
  });

  test.each([400, 402, 405, 413, 415, 422])('status %s fails the part for good', (status) => {
    const failure = failureOf({ status });
    expect(failure).toBeInstanceOf(PermanentError);
    expect(failure).toMatchObject({ code: 'PROVIDER_REJECTED' });
  });

  test('Retry-After is honoured as seconds and as a date, and is at most 24 h', () => {
    expect(failureOf({ status: 429, retryAfter: '7' })).toMatchObject({ retryAfterMs: 7_000 });
    expect(parseRetryAfter('Tue, 09 Dec 2025 10:30:30 GMT', now)).toBe(30_000);
    expect(parseRetryAfter('999999', now)).toBe(86_400_000);
    fc.assert(
      fc.property(fc.string(), (text) => {
        const wait = parseRetryAfter(text, now);
        expect(wait === undefined || (wait >= 0 && wait <= 86_400_000)).toBe(true);
      }),
    );
  });
});
