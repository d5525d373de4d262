import { EVENT_SCHEMAS, EVENT_VERSION, parseSubject, type EventType, type OutboundEvent } from '@pipeline/contracts';
import type { MsgHdrs } from 'nats';
import type { z } from 'zod';
import { headersOf, readClaim, type ClaimReference } from './event-headers.ts';

/** Why a message is no valid event. Goes into the dead letter's headers. */
export type DeadCode =
  | 'NOT_JSON'
  | 'INVALID_EVENT'
  | 'UNKNOWN_VERSION'
  | 'SUBJECT_MISMATCH'
  | 'BAD_REFERENCE'
  | 'WORKER_CRASHED';

export type DeadReading = { readonly kind: 'dead'; readonly code: DeadCode; readonly reason: string };
export type EventReading =
  | { readonly kind: 'event'; readonly event: OutboundEvent; readonly claim: ClaimReference | null }
  | DeadReading;

/** The parts of a message that make an event. */
export type RawMessage = {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers?: MsgHdrs | undefined;
};

/**
 * Reads a message as the event that a consumer expects. Anything else is dead: bytes that are no JSON, another major version,
 * a body of another form, a body that disagrees with its subject, a reference to another call's object.
 * Reasons name fields and rules, never values: they go to headers and logs.
 */
export function readEvent(consumes: EventType, message: RawMessage): EventReading {
  const reading = parseEvent(consumes, message.subject, message.data);
  if (reading.kind === 'dead') return reading;
  const claim = readClaim(headersOf(message));
  const own = `${reading.event.businessId}/${reading.event.callSid}/`;
  if (claim === 'malformed' || (claim !== null && !claim.key.startsWith(own))) {
    return dead('BAD_REFERENCE', 'the reference to the large parts is malformed or names another call');
  }
  return { ...reading, claim };
}

/** The body alone: used for the message and again for the object that it refers to. */
export function parseEvent(
  consumes: EventType,
  subject: string,
  bytes: Uint8Array,
): { readonly kind: 'event'; readonly event: OutboundEvent } | DeadReading {
  const body = parseJson(bytes);
  if (body === undefined) return dead('NOT_JSON', 'the body is not JSON in UTF-8');
  const version = isRecord(body) ? body['version'] : undefined;
  if (version !== EVENT_VERSION) return dead('UNKNOWN_VERSION', `the major version is not ${EVENT_VERSION}`);
  const parsed = EVENT_SCHEMAS[consumes].safeParse(body);
  if (!parsed.success) {
    return dead('INVALID_EVENT', problemsOf(parsed.error));
  }
  const event = parsed.data;
  const address = parseSubject(subject);
  if (address?.kind !== consumes || address.businessId !== event.businessId || address.callSid !== event.callSid) {
    return dead('SUBJECT_MISMATCH', 'businessId or callSid of the body is not that of the subject');
  }
  return { kind: 'event', event };
}

/** Fields and rules that an event broke, never its values: the first five. */
export function problemsOf({ issues }: z.ZodError): string {
  const problems = issues.slice(0, 5).map(({ path, code }) => `${path.map(String).join('.')}: ${code}`);
  return printable(problems.join('; '));
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return value;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function dead(code: DeadCode, reason: string): DeadReading {
  return { kind: 'dead', code, reason: printable(reason) };
}

/** Keys of a hostile body may stand in a path, so only printable ASCII is kept, 300 characters at most. */
function printable(reason: string): string {
  return reason.replace(/[^\x20-\x7e]/g, '?').slice(0, 300);
}
