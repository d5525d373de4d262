import { parseRetryAfter } from '@pipeline/contracts';
import type { AttemptCode } from '@pipeline/contracts/webhook';
import type { EndpointVerdict } from '@pipeline/call-store/deliveries';
import type { SendResult } from '@pipeline/egress';
import type { Lane } from '../schedule.ts';

export type Outcome =
  | { readonly kind: 'delivered'; readonly code: 'delivered' }
  | {
      readonly kind: 'failed';
      readonly code: AttemptCode;
      readonly lane: Lane;
      /** What the receiver asked us to wait, in milliseconds. */
      readonly retryAfterMs: number | null;
      /** The failure is our own: it does not count against the receiver, at least not at once. */
      readonly isOurs: boolean;
    }
  /** The receiver wants nothing more at this endpoint; the delivery stays replayable. */
  | { readonly kind: 'disabled'; readonly code: 'endpoint_gone' | 'stopped_by_receiver' }
  /** The receiver wants no more of this one delivery. */
  | { readonly kind: 'cancelled'; readonly code: AttemptCode };

/** Statuses whose `Retry-After` is honoured. */
const THROTTLING = new Set([429, 502, 503, 504]);
/** Client errors that may heal by themselves; all others go to the slow lane. */
const TRANSIENT = new Set([408, 425, 429]);
/**
 * Failures of our own side. A resolver that is dead is silence, and so is a zone whose servers are: nobody can tell them apart, and
 * what is ours must not open every breaker. What lasts for a day is charged (see `makeAttempt`), so a dead zone has an end as well.
 */
const OURS: ReadonlySet<AttemptCode> = new Set<AttemptCode>([
  'dns_error',
  'dns_timeout',
  'sender_exhausted',
  'internal_error',
]);

/** What the result of a request means for its delivery. Only 2xx is success; `nowMs` resolves an HTTP date of an answer that has no `Date`. */
export function judge(result: SendResult, nowMs: number): Outcome {
  if (result.kind === 'failed') return failed(result.code);
  const { status, headers } = result;
  // A 2xx was read: that the body went on for ever is not worth a second delivery.
  if (status >= 200 && status < 300) return { kind: 'delivered', code: 'delivered' };
  if (status === 410) return { kind: 'disabled', code: 'endpoint_gone' };
  const wish = headers['webhook-delivery'];
  if (wish === 'disable') return { kind: 'disabled', code: 'stopped_by_receiver' };
  if (wish === 'abort-message') return { kind: 'cancelled', code: 'refused_by_receiver' };
  const retryAfterMs = THROTTLING.has(status) ? (askedFor(headers, nowMs) ?? null) : null;
  const lane = status >= 400 && status < 500 && !TRANSIENT.has(status) ? 'slow' : 'normal';
  return { kind: 'failed', code: statusCode(result), lane, retryAfterMs, isOurs: false };
}

/**
 * An HTTP date is meant by the clock of who wrote it, which may be hours off: what counts is how far it lies behind the answer's own `Date`.
 * At most 24 h, and never less than nothing.
 */
function askedFor(headers: Readonly<Record<string, string>>, nowMs: number): number | undefined {
  const writtenAt = Date.parse(headers['date'] ?? '');
  return parseRetryAfter(headers['retry-after'], Number.isFinite(writtenAt) ? writtenAt : nowMs);
}

/** An attempt without an answer. Refused addresses, closed ports and silence are retried alike, so nobody can tell them apart. */
export function failed(code: AttemptCode): Outcome {
  return { kind: 'failed', code, lane: 'normal', retryAfterMs: null, isOurs: OURS.has(code) };
}

/** What the outcome of a delivery says about its endpoint. */
export function verdictOf(outcome: Outcome): EndpointVerdict {
  switch (outcome.kind) {
    case 'delivered':
      return { kind: 'healthy' };
    case 'disabled':
      return { kind: 'gone', reason: outcome.code };
    case 'cancelled':
      return { kind: 'none' };
    case 'failed': {
      const { retryAfterMs } = outcome;
      if (outcome.isOurs) return { kind: 'none' };
      if (outcome.code === 'throttled') return { kind: 'throttling', retryAfterMs };
      return outcome.lane === 'slow' ? { kind: 'refusing' } : { kind: 'unanswered', retryAfterMs };
    }
  }
}

function statusCode(answer: Extract<SendResult, { kind: 'answered' }>): AttemptCode {
  if (answer.tooLarge) return 'response_too_large';
  if (answer.status === 429) return 'throttled';
  if (answer.status >= 300 && answer.status < 400) return 'redirect_not_followed';
  if (answer.status >= 400 && answer.status < 500) return 'http_4xx';
  return answer.status >= 500 && answer.status < 600 ? 'http_5xx' : 'http_unexpected';
}
