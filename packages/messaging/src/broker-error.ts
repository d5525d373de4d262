import { NatsError } from 'nats';
import { RetryLaterError } from '@pipeline/contracts';

/** The broker cannot be used as asked: closed for good, not reachable for an operator, or refusing a configuration. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';

  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
  }
}

/** JetStream's own error numbers that decide something here (errors.json of nats-server). */
export const API_ERRORS = { wrongLastSequence: 10_071, consumerExists: 10_148, full: 10_077 } as const;

/** The number of JetStream's own error, such as 10071; undefined for any other failure. */
export function apiErrorNumber(error: unknown): number | undefined {
  return error instanceof NatsError ? error.api_error?.err_code : undefined;
}

/** Whether a stream, a consumer or a message is not there. Both the API (JSON) and direct gets (status header) answer 404. */
export function isNotFound(error: unknown): boolean {
  return error instanceof NatsError && error.code === '404';
}

/** Whether a stream or bucket refuses what is new because it holds all that it may. Only room helps, and that may take days. */
export function isFull(error: unknown): boolean {
  return apiErrorNumber(error) === API_ERRORS.full;
}

/** Whether the connection is closed for good, so that repeating cannot help. */
export function isClosed(error: unknown): boolean {
  return error instanceof NatsError && (error.code === 'CONNECTION_CLOSED' || error.code === 'CONNECTION_DRAINING');
}

/** One sentence on a failure of the broker, for a person: its code and, from JetStream, its description. */
export function describeBrokerFailure(error: unknown): string {
  if (error instanceof BrokerError) return error.message;
  if (!(error instanceof NatsError)) return error instanceof Error ? error.name : 'failed';
  const { code, api_error: api } = error;
  return api === undefined ? code : `${api.description} (${api.err_code})`;
}

/**
 * The broker's own text, where its code says little: "Consumer Deleted" and "Exceeded MaxWaiting" are both 409. It speaks of its streams and
 * limits, so no caller's words are in it; what is not the broker's is told by its name alone.
 */
export function brokerWords(error: unknown): string {
  if (!(error instanceof NatsError)) return describeBrokerFailure(error);
  return error.message.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
}

/** A failure of the broker as one that is retried without a deadline, because our own servers heal. Others come back unchanged. */
export function asRetryable(error: unknown): unknown {
  if (!(error instanceof NatsError || error instanceof BrokerError)) return error;
  return new RetryLaterError(describeBrokerFailure(error), { deadline: 'none', cause: error });
}
