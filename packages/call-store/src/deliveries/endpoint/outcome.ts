import { earlier } from './due.ts';
import type { Endpoint, EndpointChange, EndpointLimits, EndpointNotice, EndpointReason, Lane } from './endpoint.ts';

/** What an attempt says about its endpoint. */
export type EndpointVerdict =
  /** A 2xx. */
  | { readonly kind: 'healthy' }
  /** An answer that no repetition makes better (4xx): it is there, it fails. */
  | { readonly kind: 'refusing' }
  /** No usable answer: 5xx, redirects, no connection, silence. */
  | { readonly kind: 'unanswered'; readonly retryAfterMs: number | null }
  /** 429. */
  | { readonly kind: 'throttling'; readonly retryAfterMs: number | null }
  /** It wants nothing more. */
  | { readonly kind: 'gone'; readonly reason: Extract<EndpointReason, 'endpoint_gone' | 'stopped_by_receiver'> }
  /** Nothing: our own failure, or the end of one delivery. */
  | { readonly kind: 'none' };

export type AttemptNote = {
  /** The lease that ends. */
  readonly slot: string;
  readonly lane: Lane;
  readonly verdict: EndpointVerdict;
  /** What its business allows now; as it was when absent. */
  readonly limits?: EndpointLimits;
  /** When the delivery is due again, by the clock of the database, and where it waits until then; null when it is not. */
  readonly next: { readonly lane: Lane; readonly at: Date } | null;
  /** It was told before, and whether it was heard is not known: it was when the lease is gone. Default false. */
  readonly isRepeated?: boolean;
};

/** When an endpoint is no longer sent to, and when again. The guide for consumers says so, and a test holds it to these numbers. */
export const STOPPING = {
  /** Failures in a row without a usable answer that open the breaker, and for how long: the longer the more often. */
  breakerFailures: 5,
  breakerMinMs: 10_000,
  breakerMaxMs: 600_000,
  /** An endpoint is paused after this long of only failures, and not before this many. */
  pauseAfterMs: 5 * 86_400_000,
  pauseAfterFailures: 20,
  /** Per cent of the way to a pause at which its owner is warned. */
  warnings: [50, 70, 90],
  /** A 429 holds up everything for its endpoint as long as it asks: it is about what we send. At most this long. */
  quotaMaxMs: 86_400_000,
  /**
   * The same of 502, 503 and 504, which guess when something is mended: a gateway that says a day must not keep a day's calls from their
   * business. Its own delivery waits as long as it asks.
   */
  outageMaxMs: 3_600_000,
  /** From a successful test of a paused endpoint until it is active. */
  cooldownMs: 300_000,
} as const;
const THROTTLE_DEFAULT_MS = 5_000;
const MIN_FACTOR = 1 / 16;

/** Ends a lease with what its attempt says about the endpoint. */
export function noteAttempt(note: AttemptNote): EndpointChange<void> {
  return (found, now) => {
    const leases = found.leases.filter((lease) => lease.id !== note.slot);
    const isHeard = note.isRepeated === true && leases.length === found.leases.length;
    if (isHeard) return { endpoint: found, answer: undefined };
    const { next, limits = found.limits } = note;
    const waiting =
      next === null ? found.waiting : { ...found.waiting, [next.lane]: earlier(found.waiting[next.lane], next.at) };
    const { endpoint, notices } = judged({ ...found, leases, limits, waiting }, note, now);
    return { endpoint, notices, answer: undefined };
  };
}

type Judged = { readonly endpoint: Endpoint; readonly notices: readonly EndpointNotice[] };

function judged(endpoint: Endpoint, { verdict, lane }: AttemptNote, now: Date): Judged {
  switch (verdict.kind) {
    case 'healthy':
      return lane === 'test' && endpoint.state !== 'active' ? afterTest(endpoint, now) : afterSuccess(endpoint, now);
    case 'gone':
      // One that is disabled and was to be resumed soon, for a test that it answered, has changed its mind.
      return endpoint.state === 'disabled' || endpoint.reason === 'operator'
        ? { endpoint: { ...endpoint, resumesAt: null }, notices: [] }
        : { endpoint: stopped(endpoint, 'disabled', verdict.reason, now), notices: [{ kind: 'disabled' }] };
    case 'refusing':
      return afterFailure({ ...endpoint, unanswered: 0, breaker: null }, now);
    case 'throttling':
      return afterFailure(
        throttled(
          { ...endpoint, unanswered: 0 },
          verdict.retryAfterMs ?? THROTTLE_DEFAULT_MS,
          STOPPING.quotaMaxMs,
          now,
        ),
        now,
      );
    case 'unanswered':
      return afterSilence(endpoint, verdict.retryAfterMs, now);
    case 'none':
      return { endpoint, notices: [] };
  }
}

/** An endpoint in another state, for a reason. What waits goes on waiting. */
export function stopped(endpoint: Endpoint, state: 'paused' | 'disabled', reason: EndpointReason, now: Date): Endpoint {
  return { ...endpoint, state, reason, since: now, resumesAt: null, isDraining: false };
}

/** What was in flight when the receiver asked for less may succeed, and a test may: that shortens nothing of what it asked for. */
function afterSuccess(endpoint: Endpoint, now: Date): Judged {
  const factor = Math.min(1, (endpoint.throttle?.factor ?? 1) * 1.25);
  const isOver = endpoint.throttle === null || (factor === 1 && endpoint.throttle.until <= now);
  const throttle = isOver || endpoint.throttle === null ? null : { ...endpoint.throttle, factor };
  const hasRecovered = endpoint.breaker !== null || (endpoint.failures?.warned ?? 0) > 0;
  return {
    endpoint: { ...endpoint, failures: null, unanswered: 0, breaker: null, throttle },
    notices: hasRecovered ? [{ kind: 'recovered' }] : [],
  };
}

/** What an operator has paused stays so until an operator resumes it. */
function afterTest(endpoint: Endpoint, now: Date): Judged {
  if (endpoint.reason === 'operator') return { endpoint, notices: [] };
  const resumesAt = endpoint.resumesAt ?? new Date(now.getTime() + STOPPING.cooldownMs);
  return { endpoint: { ...endpoint, resumesAt }, notices: [{ kind: 'resumed' }] };
}

function afterSilence(endpoint: Endpoint, retryAfterMs: number | null, now: Date): Judged {
  const unanswered = endpoint.unanswered + 1;
  const asked = retryAfterMs === null ? endpoint : throttled(endpoint, retryAfterMs, STOPPING.outageMaxMs, now);
  const isHalfOpen = endpoint.breaker !== null && endpoint.breaker.openUntil <= now;
  const opens = isHalfOpen || (endpoint.breaker === null && unanswered >= STOPPING.breakerFailures);
  const opened = (endpoint.breaker?.opened ?? 0) + 1;
  const openMs = Math.min(STOPPING.breakerMaxMs, STOPPING.breakerMinMs * 2 ** (opened - 1));
  const breaker = opens ? { openUntil: new Date(now.getTime() + openMs), opened } : endpoint.breaker;
  const after = afterFailure({ ...asked, unanswered, breaker }, now);
  return opens && opened === 1 ? { ...after, notices: [{ kind: 'breaker_opened' }, ...after.notices] } : after;
}

/** Counts a failure towards the pause. Both the time and the number must be reached. */
function afterFailure(endpoint: Endpoint, now: Date): Judged {
  if (endpoint.state !== 'active') return { endpoint, notices: [] };
  const { count, since, warned } = endpoint.failures ?? { count: 0, since: now, warned: 0 };
  const share = Math.min(
    (now.getTime() - since.getTime()) / STOPPING.pauseAfterMs,
    (count + 1) / STOPPING.pauseAfterFailures,
  );
  const percent = STOPPING.warnings.findLast((warning) => share * 100 >= warning) ?? 0;
  const failures = { count: count + 1, since, warned: Math.max(warned, percent) };
  if (share >= 1) {
    return { endpoint: stopped({ ...endpoint, failures }, 'paused', 'failing', now), notices: [{ kind: 'paused' }] };
  }
  return { endpoint: { ...endpoint, failures }, notices: percent > warned ? [{ kind: 'failing', percent }] : [] };
}

function throttled(endpoint: Endpoint, askedMs: number, maxMs: number, now: Date): Endpoint {
  const untilMs = now.getTime() + Math.min(askedMs, maxMs);
  const until = new Date(Math.max(untilMs, endpoint.throttle?.until.getTime() ?? 0));
  return { ...endpoint, throttle: { until, factor: Math.max(MIN_FACTOR, (endpoint.throttle?.factor ?? 1) / 2) } };
}
