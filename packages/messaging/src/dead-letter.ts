import { randomUUID } from 'node:crypto';
import { headers, type JsMsg, type MsgHdrs } from 'nats';
import { parseSubject, subjectOf } from '@pipeline/contracts';
import { apiErrorNumber } from './broker-error.ts';
import type { ClaimStore } from './claim-store.ts';
import { REQUEST_TIMEOUT_MS, type Connection } from './connection.ts';
import { addClaim, headersOf, type ClaimReference } from './event-headers.ts';
import type { DeadReading } from './event-message.ts';

/** Writes a message to `CALL_DEAD`; resolves when it is stored there. One try; throws what the broker throws. */
export type WriteDeadLetter = (message: JsMsg, consumer: string, why: DeadReading) => Promise<void>;

/** What is copied of hostile headers is bounded; the rest is counted in `Dead-Headers-Dropped`. */
const MAX_COPIED_HEADERS = 128;
const MAX_COPIED_BYTES = 64 * 1_024;
/** Room for our own headers below the server's `max_payload`. */
const OWN_HEADER_BYTES = 4_096;

/**
 * Dead letters keep the original bytes and headers, the reason and where they come from, so that a person can judge and
 * replay them. The message id `dead:<stream>:<seq>` stores each message once.
 *
 * The sender's `Nats-*` headers are orders to the server (expectations, roll-up, deduplication), so they are kept under the name
 * `Original-Nats-*`. A body that leaves no room for the headers goes to the object bucket, with a reference in its place.
 */
export function createDeadLetters({ nc, js, instance }: Connection, claims: ClaimStore): WriteDeadLetter {
  return async (message, consumer, why) => {
    const address = parseSubject(message.subject);
    const { businessId, callSid } = address ?? { businessId: 'unknown', callSid: 'unknown' };
    const target = copyHeaders(headersOf(message));
    addReason(target, message, { consumer, why, instance });
    const room = (nc.info?.max_payload ?? 1_048_576) - MAX_COPIED_BYTES - OWN_HEADER_BYTES;
    let claim: ClaimReference | null = null;
    if (message.data.length > room) {
      claim = await claims.put({ businessId, callSid, label: `dead-${randomUUID()}` }, message.data);
      addClaim(target, claim);
    }
    try {
      await js.publish(subjectOf('call.dead', businessId, callSid), claim === null ? message.data : new Uint8Array(0), {
        msgID: `dead:${message.info.stream}:${message.seq}`,
        headers: target,
        timeout: REQUEST_TIMEOUT_MS,
      });
    } catch (error) {
      // Refused for certain, so nothing refers to the object; the next try makes another one.
      if (claim !== null && apiErrorNumber(error) !== undefined) await claims.remove(claim).catch(() => undefined);
      throw error;
    }
  };
}

function addReason(
  target: MsgHdrs,
  message: JsMsg,
  by: { readonly consumer: string; readonly why: DeadReading; readonly instance: string },
): void {
  const { stream, streamSequence, deliveryCount, timestampNanos } = message.info;
  const values = {
    Code: by.why.code,
    Reason: by.why.reason,
    Stage: by.consumer,
    Subject: message.subject,
    Stream: stream,
    Seq: String(streamSequence),
    Deliveries: String(deliveryCount),
    'First-Seen': new Date(timestampNanos / 1_000_000).toISOString(),
    'Failed-At': new Date().toISOString(),
    Worker: by.instance,
  };
  for (const [name, value] of Object.entries(values)) target.set(`Dead-${name}`, value);
}

function copyHeaders(source: MsgHdrs | undefined): MsgHdrs {
  const target = headers();
  let copied = 0;
  let bytes = 0;
  let dropped = 0;
  for (const [name, values] of source ?? []) {
    for (const value of values) {
      const size = name.length + value.length + 16;
      const isCopied = copied < MAX_COPIED_HEADERS && bytes + size <= MAX_COPIED_BYTES && append(target, name, value);
      if (isCopied) [copied, bytes] = [copied + 1, bytes + size];
      else dropped += 1;
    }
  }
  if (dropped > 0) target.set('Dead-Headers-Dropped', String(dropped));
  return target;
}

/** False for a name that the client refuses to send. */
function append(target: MsgHdrs, name: string, value: string): boolean {
  try {
    target.append(/^nats-/i.test(name) ? `Original-${name}` : name, value);
    return true;
  } catch {
    return false;
  }
}
