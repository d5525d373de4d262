import { activeSecrets, type FullSettings } from '@pipeline/contracts';
import type { AttemptCode } from '@pipeline/contracts/webhook';
import type { AttemptOutcome, AttemptRecord, DeliveryRow, EndpointLimits } from '@pipeline/call-store/deliveries';
import { isAllowedHeader, signAttempt, type Endpoint, type EndpointRequest } from '@pipeline/egress';
import { childTraceparent } from '@pipeline/messaging';
import type { CrashPoint, Logger } from '@pipeline/runtime';
import type { EndpointWishes } from '../handler.ts';
import { nextAttempt } from '../schedule.ts';
import { brokenOff, keptOf, recordOf } from './attempt-record.ts';
import { failed, judge, verdictOf, type Outcome } from './outcome.ts';

/** What of a row an attempt needs. */
export type OpenDelivery = Pick<
  DeliveryRow,
  | 'id'
  | 'webhookId'
  | 'endpointId'
  | 'businessId'
  | 'callSid'
  | 'eventType'
  | 'revision'
  | 'body'
  | 'trigger'
  | 'traceparent'
  | 'attempts'
  | 'priorAttempts'
  | 'ownFailures'
> & {
  /** When this attempt was due. */
  readonly dueAt: Date;
};

export interface AttemptDeps {
  findSettings(businessId: string, signal: AbortSignal): Promise<FullSettings | null>;
  readonly endpoint: Endpoint;
  /** For a business that has none of its own. */
  readonly scheduleSeconds: readonly number[];
  /** What an endpoint is allowed whose business wishes this. */
  limitsOf(wishes: EndpointWishes): EndpointLimits;
  /** Passed where a fault test may kill the process. */
  readonly crashPoint: CrashPoint;
  /** Name of this process, for the attempt log. */
  readonly worker: string;
  readonly logger: Logger;
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** What came of an attempt. */
export type AttemptReport = {
  /** What the row becomes. */
  readonly outcome: AttemptOutcome;
  /** For metrics; null when nothing was to be sent. */
  readonly code: AttemptCode | null;
  /** How long the endpoint took, in milliseconds; null when it was not asked. */
  readonly tookMs: number | null;
};

/** Milliseconds until the next try after a failure of our own: doubled with each in a row, and up to as much again is added. */
const OWN_FAILURE_DELAY_MS = 30_000;
const MAX_OWN_FAILURE_DELAY_MS = 150_000;
/**
 * Our own failures are free for this long from the first in a row, and for this many: a name whose zone is broken for good looks like one
 * and must end. So many, because two failures may lie days apart: nothing is sent while an endpoint is paused.
 */
const OWN_FAILURE_GRACE_MS = 24 * 3_600_000;
const OWN_FAILURE_GRACE_COUNT = 20;
const USER_AGENT = 'perfect-call-pipeline/1.0';

/**
 * Makes one attempt: the frozen bytes, signed anew, to the URL and with the secrets that the business has now. Never throws: an
 * error of our own is an attempt that failed on our side. `null` when nothing was sent because `isInTime`, asked after the
 * settings were read, said no: reading them may take as long as the database does.
 */
export async function makeAttempt(
  delivery: OpenDelivery,
  deps: AttemptDeps,
  isInTime: () => boolean,
  signal: AbortSignal,
): Promise<AttemptReport | null> {
  const { callSid, webhookId, businessId } = delivery;
  const begunAt = performance.now();
  const traceparent = childTraceparent(delivery.traceparent);
  try {
    if (delivery.body === null) return ended('cancelled');
    const settings = await deps.findSettings(businessId, signal);
    const url = settings?.inbound_webhook_url ?? null;
    if (settings === null || url === null) return ended('no_endpoint');
    const logger = deps.logger.child(callSid === null ? { businessId } : { callSid, businessId });
    const request = requestOf(delivery, { ...settings, url, body: delivery.body, traceparent }, deps);
    if (!isInTime()) return null;
    logger.info({ webhookId }, `[WEBHOOK] 📤 Sending ${callSid === null ? 'a test' : `webhook for call ${callSid}`}`);
    deps.crashPoint('wd.before_post');
    const result = await deps.endpoint.send(request, signal);
    const outcome = judge(result, deps.now());
    if (outcome.kind === 'delivered') deps.crashPoint('wd.after_2xx');
    const attempt = recordOf(request, result, outcome, { worker: deps.worker, trigger: delivery.trigger, traceparent });
    const after = afterwards(delivery, outcome, settings.webhook_schedule_seconds ?? deps.scheduleSeconds, deps);
    const limits = deps.limitsOf({
      ratePerSecond: settings.webhook_rate_per_second,
      maxInFlight: settings.webhook_max_in_flight,
    });
    logAttempt(logger, delivery, { next: after.next, attempt }, deps.now());
    return {
      outcome: { ...after, verdict: verdictOf(outcome), limits, attempt: keptOf(attempt, delivery, after) },
      code: outcome.code,
      tookMs: result.phases.total,
    };
  } catch (error) {
    deps.logger.error({ err: error, callSid, webhookId }, '[WEBHOOK] attempt broke off');
    const outcome = failed('internal_error');
    const after = afterwards(delivery, outcome, deps.scheduleSeconds, deps);
    const attempt = brokenOff(
      { worker: deps.worker, trigger: delivery.trigger, traceparent },
      performance.now() - begunAt,
    );
    return { outcome: { ...after, attempt: keptOf(attempt, delivery, after) }, code: outcome.code, tookMs: null };
  }
}

function ended(state: 'cancelled' | 'no_endpoint'): AttemptReport {
  return { outcome: { next: { state }, charged: false, attempt: null }, code: null, tookMs: null };
}

/** Ours come last, so that no header of a business can take their place. */
function requestOf(
  delivery: OpenDelivery,
  target: FullSettings & { readonly url: string; readonly body: Uint8Array; readonly traceparent: string },
  deps: AttemptDeps,
): EndpointRequest {
  const nowMs = deps.now();
  const own = Object.entries(target.webhook_headers)
    .filter(([name, value]) => isAllowedHeader(name, value))
    .map(([name, value]) => [name.toLowerCase(), value] as const);
  const signature = signAttempt({
    id: delivery.webhookId,
    body: target.body,
    secrets: activeSecrets(target.webhook_secrets, nowMs),
    nowMs,
  });
  return {
    url: target.url,
    body: target.body,
    onSent: () => deps.crashPoint('wd.after_send'),
    headers: {
      'user-agent': USER_AGENT,
      ...Object.fromEntries(own),
      'content-type': 'application/json',
      'webhook-attempt': String(delivery.attempts + 1),
      ...(delivery.trigger === 'replay' ? { 'webhook-replay': 'true' } : {}),
      traceparent: target.traceparent,
      ...signature,
    },
  };
}

/** What the row becomes. A test is tried once: a person waits for it. */
function afterwards(
  delivery: OpenDelivery,
  outcome: Outcome,
  scheduleSeconds: readonly number[],
  deps: AttemptDeps,
): Pick<AttemptOutcome, 'next' | 'charged' | 'isOurs'> {
  if (outcome.kind !== 'failed') return { next: { state: outcome.kind } };
  if (delivery.eventType === 'webhook.test') return { next: { state: 'exhausted' } };
  const { isOurs } = outcome;
  if (isOurs && isFree(outcome.code, delivery.ownFailures, deps.now())) {
    const delayMs = Math.min(OWN_FAILURE_DELAY_MS * 2 ** (delivery.ownFailures?.count ?? 0), MAX_OWN_FAILURE_DELAY_MS);
    return { next: { state: 'pending', retryInMs: Math.ceil(delayMs * (1 + deps.random())) }, charged: false, isOurs };
  }
  const next = nextAttempt({
    attempt: delivery.attempts - delivery.priorAttempts + 1,
    lane: outcome.lane,
    retryAfterMs: outcome.retryAfterMs,
    scheduleSeconds,
    random: deps.random(),
  });
  if (next.kind === 'exhausted') return { next: { state: 'exhausted' }, isOurs };
  return { next: { state: 'pending', retryInMs: next.delayMs }, isOurs };
}

/** An error of our own is never the receiver's. What a broken zone looks like as well is its own in the end. */
function isFree(code: AttemptCode, before: OpenDelivery['ownFailures'], nowMs: number): boolean {
  if (code === 'internal_error' || before === null || before.count < OWN_FAILURE_GRACE_COUNT) return true;
  return nowMs - before.since.getTime() < OWN_FAILURE_GRACE_MS;
}

/** Exactly one wide line for each attempt. Path and query may hold a secret: only the host is named. */
function logAttempt(
  logger: Logger,
  delivery: OpenDelivery,
  { next, attempt }: { readonly next: AttemptOutcome['next']; readonly attempt: AttemptRecord },
  nowMs: number,
): void {
  const fields = {
    webhookId: delivery.webhookId,
    endpointId: delivery.endpointId,
    revision: delivery.revision,
    attempt: delivery.attempts + 1,
    code: attempt.code,
    deliveryState: next.state,
    host: attempt.host,
    address: attempt.address,
    httpStatus: attempt.httpStatus,
    ms: attempt.phases.total,
    bytes: delivery.body?.length,
    traceId: attempt.traceId ?? undefined,
  };
  if (next.state === 'delivered') return logger.info(fields, '[WEBHOOK] ✅ Webhook sent successfully');
  const nextAttemptAt = next.state === 'pending' ? new Date(nowMs + next.retryInMs).toISOString() : undefined;
  logger.warn({ ...fields, nextAttemptAt }, '[WEBHOOK] attempt failed');
}
