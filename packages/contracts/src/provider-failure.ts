import { PermanentError, RetryLaterError, type PauseReason } from './failures.ts';

/** What an adapter read from a provider's failed answer. `status` undefined: the network failed or the deadline passed. */
export type ProviderAnswer = {
  readonly provider: string;
  readonly status?: number | undefined;
  /** The provider's own error code, such as `insufficient_quota` or `model_not_found`. */
  readonly code?: string | null | undefined;
  /** The request parameter that the provider complains about. */
  readonly param?: string | null | undefined;
  /** The value of `Retry-After`: seconds or an HTTP date. */
  readonly retryAfter?: string | null | undefined;
  readonly cause?: unknown;
};

const AGAIN = new Set([408, 409, 425, 429]);

/**
 * The one place that decides what a provider's failure means: again, pause the stage, or the part failed.
 * Adapters call it with what the vendor's client gave them and throw what it returns. `nowMs` resolves HTTP dates.
 */
export function providerFailure(answer: ProviderAnswer, nowMs: number): RetryLaterError | PermanentError {
  const { provider, status, cause } = answer;
  const message = `${provider} answered ${status ?? 'nothing'}`;
  const pause = pauseReason(answer);
  if (pause !== undefined) return new RetryLaterError(message, { pause, deadline: 'none', cause });
  if (status === undefined || status >= 500 || AGAIN.has(status)) {
    const retryAfterMs = parseRetryAfter(answer.retryAfter, nowMs);
    return new RetryLaterError(message, { cause, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  }
  return new PermanentError('PROVIDER_REJECTED', { message, cause });
}

/** `Retry-After` in milliseconds from now: whole seconds or an HTTP date, at most 24 h; undefined when unreadable. */
export function parseRetryAfter(value: string | null | undefined, nowMs: number): number | undefined {
  if (value === null || value === undefined || value.trim() === '') return undefined;
  const seconds = /^\d{1,9}$/.test(value.trim()) ? Number(value.trim()) : (Date.parse(value) - nowMs) / 1_000;
  if (!Number.isFinite(seconds)) return undefined;
  return Math.min(Math.max(0, Math.ceil(seconds * 1_000)), 24 * 3_600_000);
}

function pauseReason(answer: ProviderAnswer): PauseReason | undefined {
  switch (answer.status) {
    case 401:
    case 403:
      return 'credentials';
    case 404:
      return 'model';
    case 429:
      return answer.code === 'insufficient_quota' ? 'quota' : undefined;
    case 400:
      return answer.code === 'model_not_found' || answer.param === 'model' ? 'model' : undefined;
    default:
      return undefined;
  }
}
