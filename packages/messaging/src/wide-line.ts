import type { JsMsg } from 'nats';
import { parseSubject, RetryLaterError, type Failure, type OutboundEvent, type PauseReason } from '@pipeline/contracts';
import { headersOf, readTraceparent } from './event-headers.ts';
import type { DeadCode } from './event-message.ts';
import type { Work } from './stage-definition.ts';
import { traceId } from './trace-context.ts';

/** How a message was settled. */
export type Settled =
  | { readonly outcome: 'done' | 'already_done' }
  | { readonly outcome: 'handed_on'; readonly failure: Failure; readonly error?: unknown }
  | {
      readonly outcome: 'retried';
      readonly delayMs: number;
      readonly pause: PauseReason | null;
      readonly error: unknown;
    }
  | { readonly outcome: 'dead'; readonly code: DeadCode; readonly reason: string };

/**
 * Reports a settled message: one wide line and the metrics, with what a try cost that came to nothing. Info when it went on, warn when it comes again, error for a dead letter or a bug. */
export function report(work: Work, message: JsMsg, event: OutboundEvent | null, settled: Settled, ms: number): void {
  work.metrics.onSettled({ stage: work.consumer, outcome: settled.outcome, ms });
  const fields = { ...origin(work, message, event), ms: Math.round(ms), ...detail(settled) };
  work.logger[levelOf(settled)](fields, `${work.consumes} ${settled.outcome}`);
}

function origin(work: Work, message: JsMsg, event: OutboundEvent | null) {
  const address = event ?? parseSubject(message.subject);
  return {
    event: work.consumes,
    callSid: address?.callSid,
    businessId: address?.businessId,
    revision: event?.revision,
    eventId: event?.id,
    stream: message.info.stream,
    seq: message.seq,
    attempt: message.info.deliveryCount,
    traceId: traceId(readTraceparent(headersOf(message))),
  };
}

function detail(settled: Settled): Record<string, unknown> {
  const { outcome } = settled;
  switch (settled.outcome) {
    case 'done':
    case 'already_done':
      return { outcome };
    case 'handed_on': {
      const { code, state, spent } = settled.failure;
      return { outcome, code, state, ...spent, ...(settled.error === undefined ? {} : { err: settled.error }) };
    }
    case 'retried': {
      const { delayMs, pause, error } = settled;
      const spent = error instanceof RetryLaterError ? error.spent : undefined;
      return {
        outcome,
        retryAfterMs: delayMs,
        ...spent,
        err: error,
        ...(pause === null ? {} : { reason: pause, paused: true }),
      };
    }
    case 'dead':
      return { outcome, code: settled.code, reason: settled.reason };
  }
}

function levelOf(settled: Settled): 'info' | 'warn' | 'error' {
  switch (settled.outcome) {
    case 'done':
    case 'already_done':
      return 'info';
    case 'handed_on':
      return settled.failure.code === 'INTERNAL_ERROR' || settled.failure.code === 'WORKER_CRASHED' ? 'error' : 'info';
    case 'retried':
      return 'warn';
    case 'dead':
      return 'error';
  }
}
