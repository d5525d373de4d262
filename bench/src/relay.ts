import { eventId, STREAMS, subjectFilter, subjectOf, type CallEnded, type CallTranscribed } from '@pipeline/contracts';
import { connectBroker, provisionBroker, type BrokerConfig } from '@pipeline/messaging';
import { createLogger } from '@pipeline/runtime';
import { startNats } from '@pipeline/sandbox/servers';
import { AckPolicy, connect, nanos, type NatsConnection } from 'nats';
import { callEnded, callTranscribed } from './events.ts';

export type RelayResult = {
  readonly events: number;
  readonly slots: number;
  readonly perSecond: number;
  readonly barePerSecond: number;
  /** Median over rounds of stage / bare, each pair measured one after the other. */
  readonly ratio: number;
};

const ROUNDS = 3;
const PULL_MS = 1_000;
const LIMIT_MS = 60_000;
const silent = createLogger({ level: 'error', bindings: { service: 'bench' } });

/** Relays the same events through a stage and through a bare loop, in alternating rounds on one server. */
export async function benchRelay(size: { readonly events: number; readonly slots: number }): Promise<RelayResult> {
  const server = await startNats({ users: [{ user: 'bench', password: 'bench-password' }] });
  const config: BrokerConfig = {
    NATS_URL: server.url,
    NATS_USER: 'bench',
    NATS_PASSWORD: 'bench-password',
    STREAM_REPLICAS: 1,
    STREAM_MAX_BYTES: 268_435_456,
    STREAM_MAX_AGE_HOURS: 72,
    MAX_ACK_PENDING: 10_000,
    ACK_WAIT_MS: 60_000,
  };
  const nc = await connect({ servers: server.url, user: 'bench', pass: 'bench-password' });
  try {
    const provisioned = await provisionBroker({ config, identity: 'provision', instance: 'bench', logger: silent });
    if (!provisioned.ok) throw new Error(provisioned.lines.join('\n'));
    const pairs: { stage: number; bare: number }[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const stage = await throughStage(config, nc, size, round);
      const bare = await throughBareLoop(nc, size, round);
      pairs.push({ stage, bare });
    }
    return {
      ...size,
      perSecond: Math.round(median(pairs.map((pair) => pair.stage))),
      barePerSecond: Math.round(median(pairs.map((pair) => pair.bare))),
      ratio: Number(median(pairs.map((pair) => pair.stage / pair.bare)).toFixed(3)),
    };
  } finally {
    await nc.close();
    await server.stop();
  }
}

/** Events per second through the transcriber's consumer, run as a stage whose work is nothing. */
async function throughStage(
  config: BrokerConfig,
  nc: NatsConnection,
  { events, slots }: { readonly events: number; readonly slots: number },
  round: number,
): Promise<number> {
  await publishEvents(nc, events, `s${round}`);
  const broker = await connectBroker({
    config,
    identity: 'transcriber',
    instance: 'bench',
    logger: silent,
    onClosed: () => undefined,
  });
  const finished = Promise.withResolvers<void>();
  let left = events;
  const begun = performance.now();
  const stage = await broker.startStage({
    stage: 'transcriber',
    crashPoint: () => undefined,
    handle: async (event): Promise<CallTranscribed[]> => [callTranscribed(event)],
    handOn: async () => [],
    timing: {
      SLOTS: slots,
      RETRY_BASE_MS: 5_000,
      RETRY_MAX_MS: 60_000,
      PROVIDER_DEADLINE_MS: 86_400_000,
      PAUSE_PROBE_MS: 30_000,
    },
    logger: silent,
    metrics: {
      onSettled: () => {
        left -= 1;
        if (left === 0) finished.resolve();
      },
      onPaused: () => undefined,
    },
  });
  await withinLimit(finished.promise);
  const seconds = (performance.now() - begun) / 1_000;
  await stage.stop();
  await broker.close();
  return events / seconds;
}

/** Events per second through `next`, publish under a message id and a confirmed ack, with nothing else around it. */
async function throughBareLoop(
  nc: NatsConnection,
  { events, slots }: { readonly events: number; readonly slots: number },
  round: number,
): Promise<number> {
  await publishEvents(nc, events, `b${round}`);
  const js = nc.jetstream();
  const manager = await nc.jetstreamManager({ checkAPI: false });
  const { state } = await manager.streams.info(STREAMS['call.ended']);
  const name = `bare-${round}`;
  await manager.consumers.add(STREAMS['call.ended'], {
    durable_name: name,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(60_000),
    max_ack_pending: 10_000,
    filter_subject: subjectFilter('call.ended'),
    opt_start_seq: state.last_seq - events + 1,
    deliver_policy: 'by_start_sequence' as never, // the client's enum is not exported as a type
  });
  const consumer = await js.consumers.get(STREAMS['call.ended'], name);
  let left = events;
  const begun = performance.now();
  const slot = async (): Promise<void> => {
    while (left > 0) {
      const message = await consumer.next({ expires: PULL_MS });
      if (message === null) continue;
      const next = callTranscribed(message.json<CallEnded>());
      const subject = subjectOf('call.transcribed', next.businessId, next.callSid);
      await js.publish(subject, JSON.stringify(next), { msgID: `bare:${next.id}` });
      await message.ackAck();
      left -= 1;
    }
  };
  await withinLimit(Promise.all(Array.from({ length: slots }, slot)).then(() => undefined));
  const seconds = (performance.now() - begun) / 1_000;
  await manager.consumers.delete(STREAMS['call.ended'], name);
  return events / seconds;
}

async function publishEvents(nc: NatsConnection, events: number, round: string): Promise<void> {
  const js = nc.jetstream();
  const all = Array.from({ length: events }, (_, n) => callEnded(round, n));
  await Promise.all(
    all.map((event) =>
      js.publish(subjectOf('call.ended', event.businessId, event.callSid), JSON.stringify(event), {
        msgID: eventId(event.callSid, 'media-gateway', 1),
      }),
    ),
  );
}

function withinLimit(work: Promise<void>): Promise<void> {
  const limit = AbortSignal.timeout(LIMIT_MS);
  return new Promise((resolve, reject) => {
    limit.addEventListener('abort', () => reject(new Error(`not finished within ${LIMIT_MS} ms`)));
    work.then(resolve, reject);
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}
