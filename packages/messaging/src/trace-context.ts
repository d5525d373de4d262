import { randomBytes } from 'node:crypto';

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** A W3C `traceparent` (https://www.w3.org/TR/trace-context/): sampled, with a new trace id. */
export function newTraceparent(): string {
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}

/** The next span of a trace: same trace id, new span id. A missing or malformed parent starts a new trace. */
export function childTraceparent(parent: string | undefined): string {
  const match = TRACEPARENT.exec(parent ?? '');
  if (match === null) return newTraceparent();
  return `00-${match[1]}-${randomBytes(8).toString('hex')}-${match[3]}`;
}

/** The trace id of a `traceparent`, for log lines; undefined when malformed. */
export function traceId(traceparent: string | undefined): string | undefined {
  return TRACEPARENT.exec(traceparent ?? '')?.[1];
}
