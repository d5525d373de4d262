import { headers as newHeaders, type MsgHdrs } from 'nats';
import {
  callFilter,
  CLAIM_BUCKET,
  parseSubject,
  STREAMS,
  type EventType,
  type OutboundEvent,
} from '@pipeline/contracts';
import { BrokerError, describeBrokerFailure } from './broker-error.ts';
import { createClaimStore, type ClaimStore } from './claim-store.ts';
import { REQUEST_TIMEOUT_MS, type Connection, type ConnectionIdentity } from './connection.ts';
import { messageFrom, type StoredMessage } from './direct-get.ts';
import { readClaim } from './event-headers.ts';
import { parseEvent, readEvent } from './event-message.ts';
import { withOperator } from './provision.ts';

/** Why a message was set aside, and where it came from, without a word of it. `storedAt` in milliseconds since 1970, `bytes` of its body. */
export type LetterFacts = {
  readonly seq: number;
  readonly businessId: string;
  readonly callSid: string;
  readonly storedAt: number;
  readonly bytes: number;
  readonly code: string;
  readonly reason: string;
  readonly stage: string;
  readonly subject: string;
  readonly firstSeen: string;
  readonly failedAt: string;
  readonly deliveries: string;
  readonly worker: string;
};

/** A dead letter with its original bytes, and what this version reads in them: an event, or why it still is none. */
export type OpenLetter = LetterFacts & {
  readonly body: Uint8Array;
  readonly reading:
    | { readonly kind: 'event'; readonly event: OutboundEvent }
    | { readonly kind: 'refused'; readonly code: string; readonly reason: string };
};

export type LetterRange = {
  /** Only letters of one call, as their subject names it. */
  readonly callSid?: string;
  /** Only letters behind this sequence. */
  readonly after?: number;
  /** Only letters stored at or after a time in milliseconds since 1970. */
  readonly since?: number;
  /** Only letters up to this sequence. */
  readonly upTo?: number;
};

/** What operators do with `CALL_DEAD`. Everything throws a BrokerError when the broker cannot. */
export type DeadLetters = {
  /** Letters in the order in which they came, one request each. */
  list(range: LetterRange, signal: AbortSignal): AsyncGenerator<LetterFacts>;
  /** The sequence of the last letter, 0 for none. */
  lastSeq(): Promise<number>;
  /** A letter as a whole; null when it is gone. */
  open(seq: number): Promise<OpenLetter | null>;
  /**
   * Publishes the original bytes and headers on their original subject again, and then removes the letter. The message id is that of the event with
   * `:replay<seq>`: a stream stores it although it had the event before, and a letter that is replayed twice once. Fences decide as for any event that
   * comes twice. Throws a TypeError for a letter that is no event.
   */
  replay(letter: OpenLetter): Promise<void>;
  /** Removes a letter; false when it was gone. */
  remove(seq: number): Promise<boolean>;
};

const DEAD = STREAMS['call.dead'];
/** The server's own answer, the reason of our stage, and the sender's orders to the server: none belongs to the event. */
const NOT_THE_SENDERS = /^(nats-|dead-|original-nats-)/i;

/** Works on dead letters with the rights of callctl. Throws a BrokerError when there is no broker. */
export async function withDeadLetters<T>(
  who: ConnectionIdentity,
  work: (letters: DeadLetters) => Promise<T>,
): Promise<T> {
  return withOperator(who, (connection) => work(createDeadLetterBox(connection)));
}

function createDeadLetterBox(connection: Connection): DeadLetters {
  const claims = createClaimStore(connection);
  const { js, jsm } = connection;
  const from = (seq: number, filter?: string) =>
    told('read dead letters', () => messageFrom(connection, DEAD, seq, filter));
  return {
    list: async function* ({ callSid, after = 0, since, upTo = Number.POSITIVE_INFINITY }, signal) {
      const filter = callSid === undefined ? undefined : callFilter('call.dead', callSid);
      let seq = Math.max(after + 1, since === undefined ? 1 : await firstSince(connection, since));
      for (;;) {
        signal.throwIfAborted();
        const message = await from(seq, filter);
        if (message === null || message.seq > upTo) return;
        yield factsOf(message);
        seq = message.seq + 1;
      }
    },
    lastSeq: async () => (await told('look at dead letters', () => jsm.streams.info(DEAD))).state.last_seq,
    open: async (seq) => {
      const message = await from(seq);
      if (message === null || message.seq !== seq) return null;
      return told('read a dead letter', () => openLetter(message, claims));
    },
    replay: async ({ seq, subject, reading }) => {
      const message = await from(seq);
      if (reading.kind !== 'event') throw new TypeError('a dead letter that is no event');
      if (message === null || message.seq !== seq) return;
      const { bytes, isWhole } = await told('read a dead letter', () => bodyOf(message, claims));
      const options = { msgID: `${reading.event.id}:replay${seq}`, timeout: REQUEST_TIMEOUT_MS };
      await told('publish', () =>
        js.publish(subject, bytes, { ...options, headers: sendersHeaders(message.headers, isWhole) }),
      );
      await told('remove a dead letter', () => jsm.streams.deleteMessage(DEAD, seq));
    },
    remove: async (seq) => {
      const message = await from(seq);
      if (message === null || message.seq !== seq) return false;
      return told('remove a dead letter', () => jsm.streams.deleteMessage(DEAD, seq));
    },
  };
}

/** The first sequence that is not older than a time: times rise with sequences, so by halving. */
async function firstSince(connection: Connection, since: number): Promise<number> {
  const { state } = await told('look at dead letters', () => connection.jsm.streams.info(DEAD));
  let [low, high] = [state.first_seq, state.last_seq + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const message = await told('read dead letters', () => messageFrom(connection, DEAD, middle));
    if (message !== null && message.storedAt < since) low = message.seq + 1;
    else high = middle;
  }
  return low;
}

function factsOf({ headers, data, seq, storedAt }: StoredMessage): LetterFacts {
  const text = (name: string): string => headers?.last(`Dead-${name}`) || 'unknown';
  const address = parseSubject(headers?.get('Nats-Subject') ?? '');
  return {
    seq,
    businessId: address?.businessId ?? 'unknown',
    callSid: address?.callSid ?? 'unknown',
    storedAt,
    bytes: data.length > 0 ? data.length : Number(headers?.last('Claim-Bytes') || 0),
    code: text('Code'),
    reason: text('Reason'),
    stage: text('Stage'),
    subject: text('Subject'),
    firstSeen: text('First-Seen'),
    failedAt: text('Failed-At'),
    deliveries: text('Deliveries'),
    worker: text('Worker'),
  };
}

async function openLetter(message: StoredMessage, claims: ClaimStore): Promise<OpenLetter> {
  const facts = factsOf(message);
  const { bytes, isWhole } = await bodyOf(message, claims);
  return {
    ...facts,
    body: bytes,
    reading: await read(facts.subject, bytes, isWhole ? undefined : message.headers, claims),
  };
}

/** The original body; `isWhole`: it lay in the object bucket, to which the headers refer and no longer have to. */
async function bodyOf(
  { data, headers }: StoredMessage,
  claims: ClaimStore,
): Promise<{ bytes: Uint8Array; isWhole: boolean }> {
  const claim = data.length === 0 ? readClaim(headers) : null;
  if (claim === null || claim === 'malformed' || claim.bucket !== CLAIM_BUCKET) return { bytes: data, isWhole: false };
  const found = await claims.get(claim);
  return found.kind === 'found' ? { bytes: found.bytes, isWhole: true } : { bytes: data, isWhole: false };
}

/** Reads as the stage would that consumes the subject, large parts included. */
async function read(
  subject: string,
  data: Uint8Array,
  headers: MsgHdrs | undefined,
  claims: ClaimStore,
): Promise<OpenLetter['reading']> {
  const kind = parseSubject(subject)?.kind;
  if (kind === undefined || kind === 'call.dead')
    return { kind: 'refused', code: 'NO_ADDRESS', reason: 'it came from no subject of a stage' };
  const reading = readEvent(kind, { subject, data, headers });
  if (reading.kind === 'dead') return { ...reading, kind: 'refused' };
  if (reading.claim === null) return { kind: 'event', event: reading.event };
  const found = await claims.get(reading.claim);
  if (found.kind !== 'found') return { kind: 'refused', code: 'OBJECT_MISSING', reason: 'its large parts are gone' };
  return readWhole(kind, subject, found.bytes);
}

function readWhole(kind: EventType, subject: string, bytes: Uint8Array): OpenLetter['reading'] {
  const reading = parseEvent(kind, subject, bytes);
  return reading.kind === 'dead' ? { ...reading, kind: 'refused' } : reading;
}

function sendersHeaders(source: MsgHdrs | undefined, isWhole: boolean): MsgHdrs {
  const target = newHeaders();
  for (const [name, values] of source ?? []) {
    if (NOT_THE_SENDERS.test(name) || (isWhole && /^claim-/i.test(name))) continue;
    for (const value of values) target.append(name, value);
  }
  return target;
}

async function told<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BrokerError) throw error;
    throw new BrokerError(`NATS did not ${what}: ${describeBrokerFailure(error)}`, { cause: error });
  }
}
