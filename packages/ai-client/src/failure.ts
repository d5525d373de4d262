import { APIError } from 'openai';
import { PermanentError, providerFailure, RetryLaterError } from '@pipeline/contracts';
import { AnswerTooLargeError } from './bounded-fetch.ts';

/**
 * What an error means that came out of a request to `provider`, a name for people. Our own shutdown (`signal`) stays what it is, and
 * so does a failure that has its meaning already; everything else is a RetryLaterError or a PermanentError by the one rule in contracts.
 */
export function aiFailure(error: unknown, provider: string, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof PermanentError || error instanceof RetryLaterError) return error;
  if (error instanceof AnswerTooLargeError) return new PermanentError('OUTPUT_INVALID', { cause: error });
  if (error instanceof APIError && isFiltered(error)) return new PermanentError('PROVIDER_REFUSED', { cause: error });
  const answer =
    error instanceof APIError
      ? { status: error.status, code: error.code, param: error.param, retryAfter: error.headers?.get('retry-after') }
      : {};
  return providerFailure({ provider, ...answer, cause: error }, Date.now());
}

/** Whether an error is a 400 about `parameter` or a part of it (`languages[0]`), or one that does not say what it is about. */
export function isRefusalOf(parameter: string, error: unknown): boolean {
  if (!(error instanceof APIError) || error.status !== 400 || isFiltered(error)) return false;
  return error.param === null || error.param === undefined || error.param.startsWith(parameter);
}

/** Azure filters a prompt with a 400 of its own; asking again would bring the same. */
function isFiltered({ status, code }: APIError): boolean {
  return status === 400 && code === 'content_filter';
}
