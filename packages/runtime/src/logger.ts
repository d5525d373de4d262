import pino, { type DestinationStream } from 'pino';

/** A logger as every part of the product takes it: fields first, then a sentence. */
export type Logger = {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  child(fields: LogFields): Logger;
};

/**
 * Every field that may be logged. Transcripts, phone numbers, names and field values are not among them, so a line that tries
 * to log one loses it; `err` is reduced to its class, code and frames.
 */
const ALLOWED = [
  'service',
  'pod',
  'stage',
  'callSid',
  'businessId',
  'revision',
  'event',
  'eventId',
  'subject',
  'stream',
  'consumer',
  'seq',
  'attempt',
  'deliveries',
  'outcome',
  'kind',
  'code',
  'state',
  'reason',
  'retryAfterMs',
  'ms',
  'bytes',
  'chars',
  'segments',
  'quality',
  'count',
  'slots',
  'model',
  'field',
  'fields',
  'status',
  'httpStatus',
  'webhookId',
  'endpointId',
  'host',
  'port',
  'address',
  'deliveryState',
  'nextAttemptAt',
  'signal',
  'version',
  'err',
  'traceId',
  'difference',
  'variable',
  'endedReason',
  'source',
  'durationSec',
  'recordingSid',
  'usage',
  'costUsd',
  'problems',
  'paused',
  'phase',
  'method',
  'path',
  'check',
  'calls',
  'notices',
  'pages',
  'watermark',
] as const;
export type LogFields = Readonly<Partial<Record<(typeof ALLOWED)[number], unknown>>>;

const allowed: ReadonlySet<string> = new Set(ALLOWED);

/** Errors whose message is written by us and holds no caller's words. Of others only class, code and frames are logged. */
const OWN_ERRORS = new Set([
  'RetryLaterError',
  'PermanentError',
  'ConfigError',
  'BrokerError',
  'StoreError',
  'AbortError',
]);

/** A JSON logger on standard output, or on `destination`. `bindings` ride on every line. */
export function createLogger(
  options: { readonly level: string; readonly bindings: LogFields },
  destination: DestinationStream = pino.destination({ dest: 1, sync: true }),
): Logger {
  const root = pino(
    {
      level: options.level,
      base: { ...options.bindings },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: keepAllowed },
      redact: { paths: ['*.password', '*.secret', '*.token', '*.authorization'], censor: '[removed]' },
    },
    destination,
  );
  return withGuardedChildren(root);
}

/** pino's formatter does not see the fields of a child, so they pass the allow-list here. */
function withGuardedChildren(logger: pino.Logger): Logger {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (fields) => withGuardedChildren(logger.child(keepAllowed(fields))),
  };
}

/** What may be said of an error in a log line. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: typeof error };
  const code: unknown = 'code' in error ? error.code : undefined;
  const frames = (error.stack ?? '')
    .split('\n')
    .filter((line) => line.trimStart().startsWith('at '))
    .slice(0, 6);
  return {
    name: error.name,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(OWN_ERRORS.has(error.name) ? { message: error.message.slice(0, 500) } : {}),
    ...(error.cause === undefined ? {} : { cause: describeCause(error.cause) }),
    frames: frames.map((line) => line.trim()),
  };
}

function describeCause(cause: unknown): Record<string, unknown> {
  const { name, code, message } = describeError(cause);
  return { name, ...(code === undefined ? {} : { code }), ...(message === undefined ? {} : { message }) };
}

function keepAllowed(fields: Record<string, unknown>): Record<string, unknown> {
  const kept = Object.entries(fields).filter(([key]) => allowed.has(key));
  return Object.fromEntries(kept.map(([key, value]) => [key, key === 'err' ? describeError(value) : value]));
}
