import type { BusinessSettings } from '@pipeline/contracts';
import type { Agent } from '../agent.ts';
import { createGateway, type Gateway, type GatewayDeps } from '../gateway.ts';
import type { GatewayGauges } from '../metrics.ts';
import {
  ACCOUNT_SID,
  business,
  createFakeBroker,
  createPuppetAgent,
  listeningLogger,
  type FakeBroker,
  type LogLine,
  type PuppetAgent,
} from './examples.ts';
import { createMemoryBucket, type MemoryBucket } from './memory-bucket.ts';
import { AUTH_TOKEN, OLD_AUTH_TOKEN, PUBLIC_BASE_URL } from './twilio.ts';

/** A whole gateway around plain objects, with what it was heard to say and seen to do. */
export type TestGateway = Gateway & {
  readonly broker: FakeBroker;
  readonly bucket: MemoryBucket;
  readonly agent: PuppetAgent;
  readonly lines: LogLine[];
  readonly rejected: string[];
  readonly ended: string[];
  readonly activeCalls: () => number;
  /** How much of the bucket of the calls is taken, as of the last beat. */
  readonly bucketFilled: () => number;
  /** What the settings answer: a business, nobody, or an error. */
  settings: BusinessSettings | null | Error;
  /** SIGTERM. */
  stop(): void;
};

type TestGatewayOptions = {
  config?: Partial<GatewayDeps['config']>;
  agent?: Agent;
  broker?: FakeBroker;
  bucket?: MemoryBucket;
  startDeadlineMs?: number;
  answerDeadlineMs?: number;
  requestDeadlineMs?: number;
};

const TEST_CONFIG = {
  PUBLIC_BASE_URL,
  TWILIO_ACCOUNT_SID: ACCOUNT_SID,
  TWILIO_AUTH_TOKENS: [AUTH_TOKEN, OLD_AUTH_TOKEN],
  MAX_CALLS: 10,
  MAX_CALL_MS: 3_300_000,
  MEDIA_IDLE_MS: 20_000,
  MEDIA_MAX_SPEED: 2,
  AGENT_MUTE_AFTER_MS: 10_000,
  TRANSCRIPTION_GRACE_MS: 200,
  DRAIN_MS: 100,
};

export async function createTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const agent = createPuppetAgent();
  const broker = options.broker ?? createFakeBroker();
  const bucket = options.bucket ?? createMemoryBucket();
  const stopping = new AbortController();
  const lines: LogLine[] = [];
  const rejected: string[] = [];
  const ended: string[] = [];
  const gauges: GatewayGauges[] = [];
  const gateway = await createGateway({
    config: { ...TEST_CONFIG, ...options.config },
    agent: options.agent ?? agent,
    settings: {
      byPhone: async () => {
        if (test.settings instanceof Error) throw test.settings;
        return test.settings;
      },
    },
    send: broker.send,
    shared: bucket.shared,
    instance: 'media-gateway/test',
    stopping: stopping.signal,
    startDeadlineMs: options.startDeadlineMs ?? 300,
    statusDeadlineMs: 300,
    ...(options.answerDeadlineMs === undefined ? {} : { answerDeadlineMs: options.answerDeadlineMs }),
    ...(options.requestDeadlineMs === undefined ? {} : { requestDeadlineMs: options.requestDeadlineMs }),
    createMetrics: (read) => {
      gauges.push(read);
      return { onEnded: (reason) => void ended.push(reason), onRejected: (reason) => void rejected.push(reason) };
    },
    logger: listeningLogger(lines),
  });
  const test: TestGateway = {
    ...gateway,
    agent,
    broker,
    bucket,
    lines,
    rejected,
    ended,
    activeCalls: () => gauges[0]?.activeCalls() ?? -1,
    bucketFilled: () => gauges[0]?.bucketFilled() ?? -1,
    settings: business,
    stop: () => stopping.abort(),
  };
  return test;
}
