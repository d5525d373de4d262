import { setTimeout as sleep } from 'node:timers/promises';
import type { MsgHdrs } from 'nats';
import {
  PermanentError,
  STAGES,
  STREAMS,
  subjectOf,
  withoutLargeParts,
  type EventType,
  type OutboundEvent,
} from '@pipeline/contracts';
import {
  apiErrorNumber,
  API_ERRORS,
  asRetryable,
  BrokerError,
  describeBrokerFailure,
  isClosed,
  isFull,
} from './broker-error.ts';
import type { ClaimOwner, ClaimStore } from './claim-store.ts';
import { REQUEST_TIMEOUT_MS, type Connection } from './connection.ts';
import { eventHeaders, HAND_ON_BYTES, MAX_EVENT_BYTES, type ClaimReference } from './event-headers.ts';
import type { Log } from './log.ts';

export type PublishOptions = {
  /** Ends the repeating; then the event may or may not be stored. */
  readonly signal?: AbortSignal;
  /** The `traceparent` of the work that made the event; the event gets a child of it. */
  readonly traceparent?: string;
  /** Called once, when the server has the bytes of the first try and before its acknowledgement is read. For fault tests. */
  readonly onSent?: () => void;
  /** Message id of a deliberate repeat, which the stream must store again. Default `event.id`. */
  readonly messageId?: string;
  /**
   * Times in a row that a full object bucket may refuse; then it rejects with a RetryLaterError. Default: for ever, as for a full
   * stream: nobody else could publish there either, and work that is given back would be paid for again.
   */
  readonly triesWhenBucketFull?: number;
  /** The event is handed on with a failed part, so it may use the room that is left free for that. */
  readonly isHandedOn?: boolean;
};

export type Publish = (event: OutboundEvent, options?: PublishOptions) => Promise<void>;

/** Bytes of JSON up to which an event travels inline; the server's `max_payload` is 1 MiB with headers. */
export const INLINE_BYTES = 512 * 1_024;

const NOT_YET = 'not published yet, trying again';
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Publishes an event until its stream acknowledges it, always under the same message id, so that a repeat is stored once. The
 * client has no buffer worth relying on: whoever calls this keeps the event in hand until it resolves.
 *
 * The message id protects for the duplicate window of 10 min. Beyond it, the first revision is stored only on a subject that
 * holds nothing yet; "already there" is success. A command and a repeat under its own `messageId` are always stored.
 *
 * Rejects with the signal's reason when aborted, a RetryLaterError after `triesWhenBucketFull` refusals, a BrokerError when the connection is closed for good, a PermanentError
 * `EVENT_TOO_LARGE` above {@link MAX_EVENT_BYTES} less {@link HAND_ON_BYTES}, and a TypeError for ids that are no subject token or header value.
 */
export function createPublisher(connection: Connection, claims: ClaimStore, logger: Log): Publish {
  return async (event, options = {}) => {
    const subject = subjectOf(event.type, event.businessId, event.callSid);
    const messageId = headerValue(options.messageId ?? event.id);
    const whole = Buffer.from(JSON.stringify(event));
    const inline = whole.length <= INLINE_BYTES ? whole : remainderOf(event, whole.length, limitOf(options));
    let claim: ClaimReference | null = null;
    let isMaybeStored = false;
    let onSent = options.onSent;

    const once = async (): Promise<void> => {
      // The client would hold the bytes and answer with a timeout, and never send them.
      if (!connection.isConnected() && !connection.nc.isClosed()) throw new BrokerError('not connected');
      if (inline !== whole) claim ??= await claims.put(ownerOf(event), whole);
      const headers = eventHeaders(event, options.traceparent, claim);
      const isRepeat = event.revision > 1 || event.type === 'call.erase' || options.messageId !== undefined;
      const message = { subject, body: inline, headers, messageId, onlyIfFirst: !isRepeat };
      const notify = onSent;
      onSent = undefined;
      try {
        await send(connection, message, notify);
      } catch (error) {
        isMaybeStored ||= apiErrorNumber(error) === undefined;
        throw error;
      }
    };
    try {
      const isBucketFull = (error: unknown): boolean => inline !== whole && claim === null && isFull(error);
      await repeat(once, isBucketFull, options, (error, attempt) =>
        logger.warn(refused(event, error, attempt), NOT_YET),
      );
    } catch (error) {
      // Refused for certain, so nothing refers to the object; whoever comes back with the event makes another one.
      if (claim !== null && !isMaybeStored) await claims.remove(claim).catch(() => undefined);
      throw error;
    }
  };
}

type Message = {
  readonly subject: string;
  readonly body: Uint8Array;
  readonly headers: MsgHdrs;
  readonly messageId: string;
  readonly onlyIfFirst: boolean;
};

async function send({ nc, js }: Connection, message: Message, onSent: (() => void) | undefined): Promise<void> {
  const acknowledged = js.publish(message.subject, message.body, {
    msgID: message.messageId,
    headers: message.headers,
    timeout: REQUEST_TIMEOUT_MS,
    ...(message.onlyIfFirst ? { expect: { lastSubjectSequence: 0 } } : {}),
  });
  if (onSent !== undefined) {
    await Promise.race([nc.flush(), acknowledged.catch(() => undefined)]);
    onSent();
  }
  try {
    await acknowledged;
  } catch (error) {
    if (apiErrorNumber(error) !== API_ERRORS.wrongLastSequence) throw error;
  }
}

function refused({ type, callSid, businessId, revision }: OutboundEvent, error: unknown, attempt: number) {
  const reason = describeBrokerFailure(error);
  return { event: type, callSid, businessId, revision, stream: STREAMS[type], attempt, reason, err: error };
}

async function repeat(
  once: () => Promise<void>,
  isBucketFull: (error: unknown) => boolean,
  { signal, triesWhenBucketFull = Number.POSITIVE_INFINITY }: PublishOptions,
  onFailed: (error: unknown, attempt: number) => void,
): Promise<void> {
  let full = 0;
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await once();
    } catch (error) {
      if (isClosed(error)) throw new BrokerError('the connection to NATS is closed', { cause: error });
      onFailed(error, attempt);
      full = isBucketFull(error) ? full + 1 : 0;
      if (full >= triesWhenBucketFull) throw asRetryable(error);
    }
    await pause(attempt, signal);
  }
}

/** Doubles from 250 ms to 5 s; the upper half is random, so that replicas do not come in step. An abort ends it early. */
async function pause(attempt: number, signal: AbortSignal | undefined): Promise<void> {
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1));
  const ended = sleep(longest * (0.5 + Math.random() / 2), undefined, signal === undefined ? {} : { signal });
  await ended.catch(() => undefined);
}

function headerValue(messageId: string): string {
  if (!/^[\x21-\x7e]{1,200}$/.test(messageId))
    throw new TypeError('a message id is 1 to 200 printable ASCII characters');
  return messageId;
}

/** A deliberate repeat has been published before, so what it uses of the room was given to it then. */
function limitOf({ isHandedOn, messageId }: PublishOptions): number {
  return isHandedOn === true || messageId !== undefined ? MAX_EVENT_BYTES : MAX_EVENT_BYTES - HAND_ON_BYTES;
}

function remainderOf(event: OutboundEvent, bytes: number, limit: number): Buffer {
  const remainder = Buffer.from(JSON.stringify(withoutLargeParts(event)));
  if (bytes > limit || remainder.length > INLINE_BYTES) throw new PermanentError('EVENT_TOO_LARGE');
  return remainder;
}

function ownerOf({ type, businessId, callSid, revision }: OutboundEvent): ClaimOwner {
  return { businessId, callSid, label: `${producerOf(type)}-r${revision}` };
}

function producerOf(type: EventType): string {
  return Object.entries(STAGES).find(([, stage]) => stage.produces === type)?.[0] ?? 'media-gateway';
}
