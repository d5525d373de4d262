import { AckPolicy, DeliverPolicy, DiscardPolicy, nanos, RetentionPolicy, StorageType } from 'nats';
import type { ConsumerConfig, StreamConfig } from 'nats';
import {
  ADVISORY_STREAM,
  CLAIM_BUCKET,
  COMMAND_CONSUMER,
  CRASH_BUCKET,
  GATEWAY_BEAT_BUCKET,
  GATEWAY_BUCKET,
  PAID_BUCKET,
  RECONCILER_BUCKET,
  STAGES,
  STREAMS,
  subjectFilter,
  type EventType,
  type StageName,
  type SubjectKind,
} from '@pipeline/contracts';
import type { BrokerConfig } from './connection.ts';

/** A stream as it must be; buckets are streams too. Only the fields named here are compared. */
export type StreamSpec = { readonly name: string; readonly config: Readonly<Partial<StreamConfig>> };
/** A durable pull consumer as it must be. */
export type ConsumerSpec = {
  readonly stream: string;
  readonly name: string;
  readonly config: Readonly<Partial<ConsumerConfig>>;
};
/** Everything that `provision` makes and services expect. */
export type Topology = { readonly streams: readonly StreamSpec[]; readonly consumers: readonly ConsumerSpec[] };

/** Names of the streams behind buckets, by the conventions of JetStream's key-value and object stores. */
export const CRASH_STREAM = bucketStream(CRASH_BUCKET);
export const PAID_STREAM = bucketStream(PAID_BUCKET);
export const CLAIM_STREAM = `OBJ_${CLAIM_BUCKET}`;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Dead letters outlive the events, so that a person has time to look. */
export const DEAD_AGE_MS = 30 * DAY_MS;
/** Room for what is small by nature, or few: commands, crash counts, what was paid and waits, advisories. */
const SMALL_BYTES = 64 * 1_048_576;
/** A count only has to outlive the redeliveries of one message; a leftover is removed by this. */
const CRASH_TTL_MS = DAY_MS;
/** Words of callers, for as long as a provider or our database may be away. Longer, and something is paid twice. */
const PAID_TTL_MS = DAY_MS;
/** Above the longest call that a gateway may be configured for, 4 h: an entry is written when the call is answered. */
const GATEWAY_TTL_MS = 6 * HOUR_MS;
/** A gateway that was not heard of for so long is gone, and so are its calls. */
const BEAT_TTL_MS = HOUR_MS;
/** Beats of 2,000 gateways, or a watermark of some bytes. */
const TINY_BYTES = 1_048_576;
/** A net under the rules of the runner, never reached by them. */
const MAX_DELIVER = 100_000;
/** Pods x slots stay below this: the server answers a pull above it with silence. */
const MAX_WAITING = 4_096;

/** The whole shape of the broker, as data made from configuration. */
export function createTopology(config: BrokerConfig): Topology {
  const ageMs = config.STREAM_MAX_AGE_HOURS * HOUR_MS;
  const small = Math.min(SMALL_BYTES, config.STREAM_MAX_BYTES);
  const events: EventType[] = ['call.ended', 'call.transcribed', 'call.summarized', 'call.extracted'];
  return {
    streams: [
      ...events.map((kind) => eventStream(kind, config, { ageMs, bytes: config.STREAM_MAX_BYTES })),
      eventStream('call.erase', config, { ageMs, bytes: small }),
      eventStream('call.dead', config, { ageMs: DEAD_AGE_MS, bytes: config.STREAM_MAX_BYTES }),
      advisoryStream(config),
      bucket(CRASH_BUCKET, config, { bytes: small, ageMs: CRASH_TTL_MS }),
      bucket(PAID_BUCKET, config, { bytes: small, ageMs: PAID_TTL_MS }),
      bucket(GATEWAY_BUCKET, config, { bytes: small, ageMs: GATEWAY_TTL_MS }),
      bucket(GATEWAY_BEAT_BUCKET, config, { bytes: TINY_BYTES, ageMs: BEAT_TTL_MS }),
      bucket(RECONCILER_BUCKET, config, { bytes: TINY_BYTES, ageMs: 0 }),
      claimBucket(config),
    ],
    consumers: [
      ...stageNames().map((stage) => consumer(stage, STAGES[stage].consumes, config)),
      consumer(COMMAND_CONSUMER, 'call.erase', config),
    ],
  };
}

/** The stream behind a key-value bucket. */
export function bucketStream(bucketName: string): string {
  return `KV_${bucketName}`;
}

/** Milliseconds that a claim-checked object lives: longer than any event or dead letter that may refer to it. */
export function claimTtlMs(config: BrokerConfig): number {
  return config.STREAM_MAX_AGE_HOURS * HOUR_MS + DEAD_AGE_MS + DAY_MS;
}

function stageNames(): StageName[] {
  return Object.keys(STAGES) as StageName[]; // Object.keys loses the literal type
}

function eventStream(
  kind: SubjectKind,
  config: BrokerConfig,
  limits: { readonly ageMs: number; readonly bytes: number },
): StreamSpec {
  return {
    name: STREAMS[kind],
    config: {
      ...base(config),
      subjects: [subjectFilter(kind)],
      // A full stream refuses new work loudly; it never drops old work.
      discard: DiscardPolicy.New,
      max_bytes: limits.bytes,
      max_age: nanos(limits.ageMs),
      duplicate_window: nanos(10 * 60_000),
    },
  };
}

function advisoryStream(config: BrokerConfig): StreamSpec {
  return {
    name: ADVISORY_STREAM,
    config: {
      ...base(config),
      subjects: ['MAX_DELIVERIES', 'MSG_TERMINATED'].map((name) => `$JS.EVENT.ADVISORY.CONSUMER.${name}.>`),
      // Advisories come without a publisher who could wait, so the oldest goes.
      discard: DiscardPolicy.Old,
      max_bytes: SMALL_BYTES,
      max_age: nanos(DEAD_AGE_MS),
    },
  };
}

/** A key-value bucket: one message a key, the last. `ageMs` 0 keeps an entry for ever. */
function bucket(
  name: string,
  config: BrokerConfig,
  limits: { readonly bytes: number; readonly ageMs: number },
): StreamSpec {
  return {
    name: bucketStream(name),
    config: {
      ...base(config),
      subjects: [`$KV.${name}.>`],
      discard: DiscardPolicy.New,
      max_msgs_per_subject: 1,
      max_bytes: limits.bytes,
      max_age: nanos(limits.ageMs),
      allow_rollup_hdrs: true,
    },
  };
}

function claimBucket(config: BrokerConfig): StreamSpec {
  return {
    name: CLAIM_STREAM,
    config: {
      ...base(config),
      subjects: [`$O.${CLAIM_BUCKET}.C.>`, `$O.${CLAIM_BUCKET}.M.>`],
      discard: DiscardPolicy.New,
      max_bytes: config.STREAM_MAX_BYTES,
      max_age: nanos(claimTtlMs(config)),
      allow_rollup_hdrs: true,
    },
  };
}

function base(config: BrokerConfig) {
  return {
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    num_replicas: config.STREAM_REPLICAS,
    allow_direct: true,
  };
}

function consumer(name: string, consumes: EventType, config: BrokerConfig): ConsumerSpec {
  return {
    stream: STREAMS[consumes],
    name,
    config: {
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      filter_subject: subjectFilter(consumes),
      ack_wait: nanos(config.ACK_WAIT_MS),
      max_deliver: MAX_DELIVER,
      max_ack_pending: config.MAX_ACK_PENDING,
      max_waiting: MAX_WAITING,
    },
  };
}
