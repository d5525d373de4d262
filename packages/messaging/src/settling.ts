import type { JsMsg } from 'nats';
import { EVENT_SCHEMAS, PermanentError, RetryLaterError, type OutboundEvent } from '@pipeline/contracts';
import type { ClaimStore } from './claim-store.ts';
import type { CrashCount } from './crash-count.ts';
import type { WriteDeadLetter } from './dead-letter.ts';
import { headersOf, readTraceparent } from './event-headers.ts';
import { problemsOf, type DeadReading } from './event-message.ts';
import type { PaidStore } from './paid-store.ts';
import type { Publish } from './publisher.ts';
import type { Place, Solitude } from './solitude.ts';
import type { Work } from './stage-definition.ts';
import type { Settled } from './wide-line.ts';

/** What a worker needs from the broker. */
export type WorkerParts = {
  readonly claims: ClaimStore;
  readonly crashes: CrashCount;
  readonly paid: PaidStore;
  readonly publish: Publish;
  readonly writeDeadLetter: WriteDeadLetter;
  /** Shared by everything that this process works. */
  readonly solitude: Solitude;
  readonly ackWaitMs: number;
  /** Milliseconds that a message may wait in hand to be worked alone. */
  readonly waitMs: number;
  /** By the clock that stamped the messages. */
  readonly now: () => number;
  /** Aborted when the process cannot wait any longer for what is in hand. */
  readonly aborted: AbortSignal;
};

/** One message in hand. */
export type Context = {
  readonly parts: WorkerParts;
  readonly work: Work;
  readonly message: JsMsg;
  readonly place: Place;
  /** Aborted when nothing new is to be begun. */
  readonly stopping: AbortSignal;
  readonly signal: AbortSignal;
};

const ACK_TIMEOUT_MS = 5_000;
/** A full stream or bucket may stay so for days, and the slot is needed by calls that still fit: about a second, then a nak. */
const TRIES_WHEN_BUCKET_FULL = 3;
/** Milliseconds until a message comes again whose dead letter could not be stored. */
const DEAD_AGAIN_MS = 60_000;

/**
 * Publishes every event; resolves when the last one is acknowledged by its stream. Rejects when a stream stays full, and with
 * `OUTPUT_INVALID`, before anything is published, for an event that the next stage would have to bury.
 */
export async function publishAll(
  context: Context,
  events: readonly OutboundEvent[],
  isHandedOn = false,
): Promise<void> {
  const { parts, message, signal, work } = context;
  for (const event of events) refuseInvalid(work, event);
  const traceparent = traceparentOf(message);
  const rules = { signal, triesWhenBucketFull: TRIES_WHEN_BUCKET_FULL, isHandedOn };
  const options = traceparent === undefined ? rules : { ...rules, traceparent };
  for (const event of events) await parts.publish(event, options);
}

/** The trace that a message is part of. */
export function traceparentOf(message: JsMsg): string | undefined {
  return readTraceparent(headersOf(message));
}

/** An event that its own schema refuses is a bug of the stage that made it. */
function refuseInvalid({ logger }: Work, event: OutboundEvent): void {
  const parsed = EVENT_SCHEMAS[event.type].safeParse(event);
  if (parsed.success) return;
  const { type, callSid, businessId, revision } = event;
  const fields = { event: type, callSid, businessId, revision, code: 'OUTPUT_INVALID' };
  logger.error({ ...fields, reason: problemsOf(parsed.error) }, 'the stage made an invalid event');
  throw new PermanentError('OUTPUT_INVALID');
}

/**
 * Acknowledges. An acknowledgement that is not confirmed costs a redelivery, which finds its own result: worth a line, not a
 * failure.
 */
export async function acknowledge({ message, work }: Context): Promise<void> {
  try {
    await message.ackAck({ timeout: ACK_TIMEOUT_MS });
  } catch (error) {
    work.logger.warn(
      { seq: message.seq, err: error },
      'the acknowledgement was not confirmed, the message may come again',
    );
  }
}

/** Gives a message back whose work has not begun, so that another process may have it; that is no death and no failure of it. */
export function giveBackUnworked(message: JsMsg, delayMs: number): Settled {
  message.nak(delayMs);
  const error = new RetryLaterError('not begun: this process works another message alone, or stops', {
    deadline: 'none',
  });
  return { outcome: 'retried', delayMs, pause: null, error };
}

/** Stores the dead letter, then terminates the message; when it cannot be stored, the message comes again. */
export async function bury(context: Context, why: DeadReading): Promise<Settled> {
  const { message, parts, work } = context;
  try {
    await parts.writeDeadLetter(message, work.consumer, why);
  } catch (error) {
    message.nak(DEAD_AGAIN_MS);
    return { outcome: 'retried', delayMs: DEAD_AGAIN_MS, pause: null, error };
  }
  message.term();
  return { outcome: 'dead', code: why.code, reason: why.reason };
}
