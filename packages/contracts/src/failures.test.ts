import { expect, test } from 'vitest';
import { PermanentError, RetryLaterError, withSpent } from './failures.ts';

const spent = { model: 'gpt-6-luna', usage: { requests: 2, inputTokens: 40 } };

test('a failure that is told what was paid is the same failure in everything else', () => {
  const cause = new Error('reset');
  const options = {
    retryAfterMs: 7_000,
    deadline: 'recording',
    code: 'RECORDING_NOT_FOUND',
    pause: 'quota',
    cause,
  } as const;
  const later = new RetryLaterError('503', options);
  expect(withSpent(later, spent)).toEqual(new RetryLaterError('503', { ...options, spent }));
  expect(withSpent(later, spent)).toMatchObject({ name: 'RetryLaterError', message: '503', ...options, spent });
  const earlier = { model: 'gpt-6-luna', usage: { requests: 1 } };
  const never = new PermanentError('PROVIDER_REJECTED', { message: '400', cause, spent: earlier });
  expect(withSpent(never, spent)).toMatchObject({
    name: 'PermanentError',
    message: '400',
    code: 'PROVIDER_REJECTED',
    cause,
    spent,
  });
});

test('an error of no class of ours is handed back as it is, the reason of a signal too', () => {
  const reason = new DOMException('stopped', 'AbortError');
  expect(withSpent(reason, spent)).toBe(reason);
  expect(withSpent(undefined, spent)).toBeUndefined();
});
