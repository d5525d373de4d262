import { z } from 'zod';
import { integerVariable, listVariable, secretVariable } from '../config.ts';

/** The connection to NATS and the shape of the streams that a service expects to find. `provision` reads the same. */
export const brokerVariables = {
  /** NATS servers, comma separated: `nats://host:4222` or `tls://host:4222`. No user inside. */
  NATS_URL: z
    .string()
    .regex(/^(nats|tls):\/\/[^\s@,]+(,(nats|tls):\/\/[^\s@,]+)*$/, 'must be nats:// or tls:// URLs without user'),
  /** User of this service on NATS. */
  NATS_USER: z.string().min(1).max(64),
  /** Password of that user. */
  NATS_PASSWORD: secretVariable(),
  /** Replicas of every stream. Default 3; 1 on a single server. */
  STREAM_REPLICAS: integerVariable({ min: 1, max: 5, default: 3 }),
  /** Bytes that each event stream may hold. Default 10 GiB. */
  STREAM_MAX_BYTES: integerVariable({ min: 1_048_576, max: 10_995_116_277_760, default: 10_737_418_240 }),
  /** Hours that events are kept. Default 7 days, at least 3. */
  STREAM_MAX_AGE_HOURS: integerVariable({ min: 72, max: 8_760, default: 168 }),
  /**
   * Messages that may be in work or waiting for a delayed retry, per stage: replicas x SLOTS + calls a second x the seconds that a call
   * waits for its recording, about 90, and RECORDING_DEADLINE_MS where one never comes. Default 1,000; less is for tests.
   */
  MAX_ACK_PENDING: integerVariable({ min: 10, max: 1_000_000, default: 1_000 }),
  /** Milliseconds without a sign of life after which a message is given to another worker. Default 60 s. */
  ACK_WAIT_MS: integerVariable({ min: 1_000, max: 600_000, default: 60_000 }),
} as const;

/** How a stage works its messages. */
export const stageVariables = {
  /** Messages that one process works at the same time. Default 8. */
  SLOTS: integerVariable({ min: 1, max: 256, default: 8 }),
  /** Milliseconds of the first retry delay; doubles each time. Default 5 s. */
  RETRY_BASE_MS: integerVariable({ min: 10, max: 300_000, default: 5_000 }),
  /** The longest retry delay in milliseconds. Default 5 min. */
  RETRY_MAX_MS: integerVariable({ min: 10, max: 3_600_000, default: 300_000 }),
  /** Milliseconds that retries of a failing provider may go on, from the message's own time. Default 24 h. */
  PROVIDER_DEADLINE_MS: integerVariable({ min: 1_000, max: 30 * 86_400_000, default: 86_400_000 }),
  /** Milliseconds between two tries of a stage that the provider's rejection has paused. Default 30 s. */
  PAUSE_PROBE_MS: integerVariable({ min: 50, max: 600_000, default: 30_000 }),
} as const;

/** The transcriber's own schedule of looking for a recording. */
export const recordingVariables = {
  /** Milliseconds between look-ups, comma separated; the last one repeats. Default 5, 5, 10, 15, 30, then each 60 s. */
  RECORDING_LOOKUP_MS: listVariable({ min: 10, max: 600_000, default: [5_000, 5_000, 10_000, 15_000, 30_000, 60_000] }),
  /** Milliseconds to wait for a recording, from the message's own time. Default 30 min. */
  RECORDING_DEADLINE_MS: integerVariable({ min: 100, max: 86_400_000, default: 1_800_000 }),
} as const;
