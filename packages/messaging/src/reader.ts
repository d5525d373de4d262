import type { ConsumerInfo } from 'nats';
import {
  CLAIM_BUCKET,
  COMMAND_CONSUMER,
  STAGES,
  callFilter,
  parseSubject,
  STREAMS,
  subjectOf,
  type EventOf,
  type EventType,
  type StageName,
} from '@pipeline/contracts';
import { isNotFound } from './broker-error.ts';
import type { ClaimStore } from './claim-store.ts';
import type { Connection } from './connection.ts';
import { lastMessage, lastSubject } from './direct-get.ts';
import { readClaim, readRevision } from './event-headers.ts';
import { parseEvent } from './event-message.ts';
import { CLAIM_STREAM } from './topology.ts';
import type { StreamFill } from './trim-plan.ts';

/** What a consumer still has to do. `pending`: never delivered; `ackPending`: in work or waiting for a retry. */
export type ConsumerState = { readonly pending: number; readonly ackPending: number };

/** That an event is there, without its content. `storedAt` in milliseconds since 1970. */
export type EventMark = { readonly seq: number; readonly revision: number | null; readonly storedAt: number };

/** A dead letter as it is stored: original bytes, and headers with the last value of each name. */
export type DeadLetter = {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  readonly seq: number;
};

/** How much a stream holds. `fill`: of what it may hold, 0 to 1; 0 without a limit. */
export type Holding = { readonly messages: number; readonly fill: number };

export type Reader = {
  /** The last event of a kind for a call, whole, or null. For operators and tests; it throws what the broker throws. */
  lastEvent<T extends EventType>(kind: T, businessId: string, callSid: string): Promise<EventOf<T> | null>;
  /** Whether there is an event of a kind for a call, and which was the last; null for none. A replica may answer a little late. */
  lastMark(kind: EventType, businessId: string, callSid: string): Promise<EventMark | null>;
  /**
   * Whether one of the four streams has an event of a call, whoever's it is. Told by the subjects alone, and by the leader, so it is never
   * late. Takes the right to look at these streams, but at nothing in them.
   */
  hasEvent(callSid: string): Promise<boolean>;
  /** The business of a call that is in any of the streams, by its subjects; null when it is in none. For operators. */
  businessOf(callSid: string): Promise<string | null>;
  /** The last dead letter of a call, or null. */
  lastDeadLetter(businessId: string, callSid: string): Promise<DeadLetter | null>;
  /**
   * The time of day by the broker's clock, which stamps every message, in milliseconds since 1970: this machine's own may be wrong.
   * Takes the right to look at the consumer of webhook-dispatcher.
   */
  time(): Promise<number>;
  /** How much is kept where nothing is trimmed. Takes the right to look at both, as stages have it. */
  keeping(): Promise<{ readonly deadLetters: Holding; readonly largeEvents: Holding }>;
  /** How much a stage has left to do. */
  consumerState(consumer: StageName | typeof COMMAND_CONSUMER): Promise<ConsumerState>;
  /** The sequence of its stream up to which a stage has settled every message. */
  settledUpTo(consumer: StageName | typeof COMMAND_CONSUMER): Promise<number>;
  /** How full the stream of a kind is, or null when there is none. */
  fillOf(kind: EventType): Promise<StreamFill | null>;
};

const EVENT_KINDS = ['call.ended', 'call.transcribed', 'call.summarized', 'call.extracted'] as const;
/** Where a call leaves a trace, first to last. */
const CALL_KINDS = [...EVENT_KINDS, 'call.dead'] as const;

/** Looks into streams without consuming. Every identity may look only where its permissions allow. */
export function createReader(connection: Connection, claims: ClaimStore): Reader {
  return {
    lastEvent: async (kind, businessId, callSid) => {
      const subject = subjectOf(kind, businessId, callSid);
      const last = await lastMessage(connection, STREAMS[kind], subject);
      if (last === null) return null;
      const bytes = await wholeBytes(last.data, readClaim(last.headers), claims);
      const reading = parseEvent(kind, subject, bytes);
      // The schema of `kind` was just applied, which the union of all events does not tell.
      return reading.kind === 'event' ? (reading.event as EventOf<typeof kind>) : null;
    },
    lastMark: async (kind, businessId, callSid) => {
      const last = await lastMessage(connection, STREAMS[kind], subjectOf(kind, businessId, callSid));
      return last === null ? null : { seq: last.seq, revision: readRevision(last.headers), storedAt: last.storedAt };
    },
    hasEvent: async (callSid) => {
      const found = await Promise.all(EVENT_KINDS.map((kind) => holdsCall(connection, kind, callSid)));
      return found.includes(true);
    },
    businessOf: async (callSid) => {
      for (const kind of CALL_KINDS) {
        const subject = await lastSubject(connection, STREAMS[kind], callFilter(kind, callSid));
        const found = subject === null ? null : parseSubject(subject);
        if (found !== null) return found.businessId;
      }
      return null;
    },
    lastDeadLetter: async (businessId, callSid) => {
      const last = await lastMessage(connection, STREAMS['call.dead'], subjectOf('call.dead', businessId, callSid));
      if (last === null) return null;
      const names = last.headers?.keys() ?? [];
      const headers = Object.fromEntries(names.map((name) => [name, last.headers?.last(name) ?? '']));
      const bytes = await wholeBytes(last.data, last.data.length === 0 ? readClaim(last.headers) : null, claims);
      return { body: Buffer.from(bytes), headers, seq: last.seq };
    },
    time: async () => {
      connection.clock.note((await consumerOf(connection, 'webhook-dispatcher')).ts);
      return connection.clock.now();
    },
    keeping: async () => ({
      deadLetters: await holdingOf(connection, STREAMS['call.dead']),
      largeEvents: await holdingOf(connection, CLAIM_STREAM),
    }),
    consumerState: async (consumer) => {
      const state = await consumerOf(connection, consumer);
      return { pending: state.num_pending, ackPending: state.num_ack_pending };
    },
    settledUpTo: async (consumer) => (await consumerOf(connection, consumer)).ack_floor.stream_seq,
    fillOf: async (kind) => {
      try {
        const { config, state } = await connection.jsm.streams.info(STREAMS[kind]);
        return { bytes: state.bytes, maxBytes: config.max_bytes };
      } catch (error) {
        if (isNotFound(error)) return null;
        throw error;
      }
    },
  };
}

function consumerOf({ jsm }: Connection, consumer: StageName | typeof COMMAND_CONSUMER): Promise<ConsumerInfo> {
  const consumes = consumer === COMMAND_CONSUMER ? 'call.erase' : STAGES[consumer].consumes;
  return jsm.consumers.info(STREAMS[consumes], consumer);
}

async function holdsCall({ jsm }: Connection, kind: EventType, callSid: string): Promise<boolean> {
  const { state } = await jsm.streams.info(STREAMS[kind], { subjects_filter: callFilter(kind, callSid) });
  return Object.keys(state.subjects ?? {}).length > 0;
}

async function holdingOf({ jsm }: Connection, stream: string): Promise<Holding> {
  const { config, state } = await jsm.streams.info(stream);
  return { messages: state.messages, fill: config.max_bytes > 0 ? state.bytes / config.max_bytes : 0 };
}

/** The referenced object, or what is inline when there is none or it is gone. */
async function wholeBytes(
  inline: Uint8Array,
  claim: ReturnType<typeof readClaim>,
  claims: ClaimStore,
): Promise<Uint8Array> {
  if (claim === null || claim === 'malformed' || claim.bucket !== CLAIM_BUCKET) return inline;
  const found = await claims.get(claim);
  return found.kind === 'found' ? found.bytes : inline;
}
