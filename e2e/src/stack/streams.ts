import { callFilter, STAGES, STREAMS } from '@pipeline/contracts';
import { connect, headers, type JetStreamManager, type NatsConnection } from 'nats';
import type { Surroundings } from './environment.ts';

const EVENTS = ['call.ended', 'call.transcribed', 'call.summarized', 'call.extracted'] as const;
type StreamEvent = (typeof EVENTS)[number];

/** What is in the streams, read with the client itself and an operator's rights, sharing no code with the product's messaging. */
export type Streams = {
  /** True when the stream holds this event, or the dead letter, of the call. */
  holds(event: StreamEvent | 'call.dead', callSid: string): Promise<boolean>;
  /** How many messages of this kind the stream holds of the call. */
  count(event: StreamEvent, callSid: string): Promise<number>;
  /** How many messages the event's stream holds. */
  total(event: StreamEvent): Promise<number>;
  /** Publishes bytes as they are. */
  publish(subject: string, bytes: Uint8Array): Promise<void>;
  /**
   * Moves the event of a call to the dead letters, as the runner of an older version leaves one that it could not read. Resolves with what puts
   * the same letter there once more.
   */
  setAside(event: StreamEvent, callSid: string): Promise<() => Promise<void>>;
  /** True when every stage has settled every event. */
  isIdle(): Promise<boolean>;
  /**
   * Publishes every stored event again, byte by byte: once under its own message id, which the stream swallows, and once under
   * another, which reaches the stage as a second event.
   */
  publishAllAgain(): Promise<void>;
  close(): Promise<void>;
};

/** Connects as `callctl`. */
export async function createStreams({ natsUrl, credentials }: Surroundings): Promise<Streams> {
  const { user, password } = credentials.callctl;
  const connection = await connect({ servers: natsUrl, user, pass: password, inboxPrefix: '_INBOX.callctl' });
  const manager = await connection.jetstreamManager({ checkAPI: false });
  return {
    holds: async (event, callSid) => {
      const filter = callFilter(event, callSid);
      const { state } = await manager.streams.info(STREAMS[event], { subjects_filter: filter });
      return Object.keys(state.subjects ?? {}).length > 0;
    },
    count: async (event, callSid) => {
      const filter = callFilter(event, callSid);
      const { state } = await manager.streams.info(STREAMS[event], { subjects_filter: filter });
      return Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
    },
    total: async (event) => (await manager.streams.info(STREAMS[event])).state.messages,
    publish: async (subject, bytes) => {
      await connection.jetstream().publish(subject, bytes);
    },
    setAside: (event, callSid) => setAside(connection, manager, event, callSid),
    isIdle: async () => {
      const consumers = Object.entries(STAGES).map(([stage, { consumes }]) =>
        manager.consumers.info(STREAMS[consumes], stage),
      );
      return (await Promise.all(consumers)).every((one) => one.num_pending + one.num_ack_pending === 0);
    },
    publishAllAgain: async () => {
      for (const event of EVENTS) await publishAgain(connection, manager, event);
    },
    close: () => connection.close(),
  };
}

async function setAside(
  connection: NatsConnection,
  manager: JetStreamManager,
  event: StreamEvent,
  callSid: string,
): Promise<() => Promise<void>> {
  const filter = callFilter(event, callSid);
  const { subject, data, header } = await manager.streams.getMessage(STREAMS[event], { last_by_subj: filter });
  const letter = headers();
  for (const [name, values] of header) {
    for (const value of values) letter.append(name.startsWith('Nats-') ? `Original-${name}` : name, value);
  }
  const [stage = ''] = Object.entries(STAGES).find(([, { consumes }]) => consumes === event) ?? [];
  const why = { Code: 'INVALID_EVENT', Reason: 'data.call: too_new', Stage: stage, Subject: subject };
  for (const [name, value] of Object.entries(why)) letter.set(`Dead-${name}`, value);
  const put = async (): Promise<void> => {
    await connection.jetstream().publish(subject.replace(event, 'call.dead'), data, { headers: letter });
  };
  await put();
  await manager.streams.purge(STREAMS[event], { filter });
  return put;
}

async function publishAgain(connection: NatsConnection, manager: JetStreamManager, event: StreamEvent): Promise<void> {
  const publisher = connection.jetstream();
  const { state } = await manager.streams.info(STREAMS[event]);
  for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
    const stored = await manager.streams.getMessage(STREAMS[event], { seq });
    const id = stored.header.get('Nats-Msg-Id');
    if (id === '') continue; // no event: a test put it there
    for (const messageId of [id, `${id}:replay1`]) {
      const again = headers();
      for (const [key, values] of stored.header) {
        // What the publisher expected of its subject is no part of the event: with it, the stream would refuse the second one.
        if (key.startsWith('Nats-Expected-')) continue;
        for (const value of values) again.append(key, value);
      }
      again.set('Nats-Msg-Id', messageId);
      const { duplicate } = await publisher.publish(stored.subject, stored.data, { headers: again });
      if (duplicate !== (messageId === id))
        throw new Error(`${stored.subject}: duplicate is ${duplicate} for ${messageId}`);
    }
  }
}
