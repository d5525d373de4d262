import { businessIdSchema } from './identifiers.ts';
import type { EventType } from './events.ts';

/** One stream per event, so that a full one stops only the stage before it. */
export const STREAMS = {
  'call.ended': 'CALL_ENDED',
  'call.transcribed': 'CALL_TRANSCRIBED',
  'call.summarized': 'CALL_SUMMARIZED',
  'call.extracted': 'CALL_EXTRACTED',
  'call.erase': 'CALL_COMMANDS',
  'call.dead': 'CALL_DEAD',
} as const;

/** A dead letter has a subject like an event, but its body is whatever was refused. */
export type SubjectKind = EventType | 'call.dead';
export type StreamName = (typeof STREAMS)[SubjectKind] | 'CALL_ADVISORIES';

/** The stream that captures the broker's own advisories, the net under `CALL_DEAD`. */
export const ADVISORY_STREAM = 'CALL_ADVISORIES';

/** Key-value bucket of crash counts, one key per message that was delivered again. */
export const CRASH_BUCKET = 'CRASHES';
/** Key-value bucket of what providers were paid for messages that come again. Entries expire. */
export const PAID_BUCKET = 'PAID';
/** Key-value bucket of what the media-gateways of one public address share about their calls. Entries expire. */
export const GATEWAY_BUCKET = 'GATEWAY_CALLS';
/** Key-value bucket of the beats by which these gateways hear each other: calls that fill theirs silence nobody. Entries expire. */
export const GATEWAY_BEAT_BUCKET = 'GATEWAY_BEATS';
/** Key-value bucket of the reconciler: how far it has looked. Nothing in it expires. */
export const RECONCILER_BUCKET = 'RECONCILER';
/** Object bucket of events above 512 KiB. */
export const CLAIM_BUCKET = 'CALL_EVENTS';

/** Each stage, what it consumes and what it produces. The durable consumer has the name of the service. */
export const STAGES = {
  transcriber: { consumes: 'call.ended', produces: 'call.transcribed' },
  summarizer: { consumes: 'call.transcribed', produces: 'call.summarized' },
  extractor: { consumes: 'call.summarized', produces: 'call.extracted' },
  'webhook-dispatcher': { consumes: 'call.extracted', produces: null },
} as const satisfies Record<string, { consumes: EventType; produces: EventType | null }>;
export type StageName = keyof typeof STAGES;

/** The durable consumer of erase commands, a second one of extractor. */
export const COMMAND_CONSUMER = 'extractor-commands';

const TOKEN = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * The subject of one call's event, `<event>.<businessId>.<callSid>`.
 * Throws a TypeError when a token is not `[A-Za-z0-9_-]{1,64}`: a dot or a wildcard would publish elsewhere.
 */
export function subjectOf(kind: SubjectKind, businessId: string, callSid: string): string {
  return `${kind}.${token(businessId)}.${token(callSid)}`;
}

/** The subject that matches all calls of a kind, as a stream and its consumer use it. */
export function subjectFilter(kind: SubjectKind): string {
  return `${kind}.*.*`;
}

/** The subject of a kind for one call whatever its business, for purges by call. */
export function callFilter(kind: SubjectKind, callSid: string): string {
  return `${kind}.*.${token(callSid)}`;
}

export type ParsedSubject = { readonly kind: SubjectKind; readonly businessId: string; readonly callSid: string };

/** Takes a subject apart; `null` when it is not one of ours. */
export function parseSubject(subject: string): ParsedSubject | null {
  const [first, second, businessId, callSid, ...rest] = subject.split('.');
  if (businessId === undefined || callSid === undefined || rest.length > 0) return null;
  const kind = `${first}.${second}`;
  if (!isSubjectKind(kind) || !businessIdSchema.safeParse(businessId).success || !TOKEN.test(callSid)) return null;
  return { kind, businessId, callSid };
}

function isSubjectKind(kind: string): kind is SubjectKind {
  return Object.hasOwn(STREAMS, kind);
}

function token(value: string): string {
  if (!TOKEN.test(value)) throw new TypeError(`not a subject token: ${JSON.stringify(value.slice(0, 80))}`);
  return value;
}
