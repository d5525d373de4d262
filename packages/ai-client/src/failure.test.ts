import { APIError } from 'openai';
import { describe, expect, test } from 'vitest';
import { PermanentError, RetryLaterError } from '@pipeline/contracts';
import { AnswerTooLargeError } from './bounded-fetch.ts';
import { aiFailure, isRefusalOf } from './failure.ts';

const never = new AbortController().signal;
const refused = (status: number, error: object, headers: Record<string, string> = {}) =>
  APIError.generate(status, { error }, undefined, new Headers(headers));

describe('the failure of a request', () => {
  test('is our own shutdown before anything else', () => {
    const reason = new Error('shutting down');
    expect(aiFailure(refused(400, {}), 'a model', AbortSignal.abort(reason))).toBe(reason);
  });

  test('keeps the meaning that it has', () => {
    for (const error of [new PermanentError('PROVIDER_REFUSED'), new RetryLaterError('later')]) {
      expect(aiFailure(error, 'a model', never)).toBe(error);
    }
  });

  test.each([
    [new AnswerTooLargeError(9), { name: 'PermanentError', code: 'OUTPUT_INVALID' }],
    [new TypeError('no network'), { name: 'RetryLaterError', message: 'a model answered nothing' }],
    [refused(503, {}, { 'retry-after': '9' }), { name: 'RetryLaterError', retryAfterMs: 9_000 }],
    [refused(400, { param: 'model' }), { name: 'RetryLaterError', pause: 'model' }],
    [refused(429, { code: 'insufficient_quota' }), { name: 'RetryLaterError', pause: 'quota' }],
    [refused(422, {}), { name: 'PermanentError', code: 'PROVIDER_REJECTED', message: 'a model answered 422' }],
  ])('%s means one thing, and its cause is kept', (cause, failure) => {
    expect(aiFailure(cause, 'a model', never)).toMatchObject({ ...failure, cause });
  });
});

test.each([
  [refused(400, { param: 'languages[0]' }), true],
  [refused(400, { param: null }), true],
  [refused(400, {}), true],
  [refused(400, { param: 'file' }), false],
  [refused(400, { param: null, code: 'content_filter' }), false],
  [refused(422, { param: 'languages' }), false],
  [new Error('languages'), false],
])('%s is a refusal of the languages: %s', (error, expected) => {
  expect(isRefusalOf('languages', error)).toBe(expected);
});
