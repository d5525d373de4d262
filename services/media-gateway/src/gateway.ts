import type { FastifyInstance } from 'fastify';
import type { CallEnded } from '@pipeline/contracts';
import type { Logger, Readiness } from '@pipeline/runtime';
import { createEventPublisher } from './adapters/broker.ts';
import { createSettingsSource, type SettingsSource } from './adapters/settings.ts';
import { createTwilioApp, type TwilioDeps } from './adapters/twilio-http.ts';
import type { Agent } from './agent.ts';
import { answerCall, type AnswerDeps } from './answer-call.ts';
import { createMemoryDirectory } from './call-directory.ts';
import { createCalls } from './calls.ts';
import type { Config } from './config.ts';
import type { GatewayGauges, GatewayMetrics } from './metrics.ts';
import { noteStatus } from './note-status.ts';

export type GatewayDeps = {
  readonly config: GatewayConfig;
  readonly agent: Agent;
  readonly settings: SettingsSource;
  /** Publishes an event; rejected when the broker gives up. */
  readonly send: (event: CallEnded) => Promise<void>;
  readonly stopping: AbortSignal;
  readonly createMetrics: (read: GatewayGauges) => GatewayMetrics;
  readonly logger: Logger;
} & Pick<TwilioDeps, 'startDeadlineMs' | 'statusDeadlineMs' | 'requestDeadlineMs'>;

type GatewayConfig = Pick<
  Config,
  | 'PUBLIC_BASE_URL'
  | 'TWILIO_ACCOUNT_SID'
  | 'TWILIO_AUTH_TOKENS'
  | 'MAX_CALLS'
  | 'MAX_CALL_MS'
  | 'MEDIA_IDLE_MS'
  | 'MEDIA_MAX_SPEED'
  | 'TRANSCRIPTION_GRACE_MS'
  | 'DRAIN_MS'
>;

export type Gateway = {
  /** What Twilio calls; not listening yet. */
  readonly app: FastifyInstance;
  readonly readiness: () => Readiness;
  /** Lets the calls come to their end, at most DRAIN_MS, and their events into the stream. */
  readonly drain: () => Promise<void>;
};

/** Twilio opens the media stream within seconds of our answer, or never. */
const STREAM_WAIT_MS = 60_000;
const FAREWELL_MS = 15_000;
/** Events that may wait for the broker in memory; a call is 5 to 50 kB. Callers hear a busy tone above it. */
const MAX_UNPUBLISHED = 2_000;
const MAX_REMEMBERED_CALLS = 50_000;

/** Puts the gateway together, without its sockets: the same for a test and for production. */
export async function createGateway(deps: GatewayDeps): Promise<Gateway> {
  const { config, logger } = deps;
  const publisher = createEventPublisher({ send: deps.send, logger });
  const directory = createMemoryDirectory({ tokenTtlMs: STREAM_WAIT_MS, maxPublished: MAX_REMEMBERED_CALLS });
  const calls = createCalls({
    agent: deps.agent,
    publish: publisher.publish,
    directory,
    onEnded: (event) => metrics.onEnded(event.data.call.endedReason),
    logger,
  });
  const metrics = deps.createMetrics({ activeCalls: () => calls.activeCount(), unpublished: publisher.count });
  const answering: AnswerDeps = {
    settings: createSettingsSource(deps.settings, logger),
    calls,
    directory,
    limits: {
      streamWaitMs: STREAM_WAIT_MS,
      mediaIdleMs: config.MEDIA_IDLE_MS,
      maxCallMs: config.MAX_CALL_MS,
      transcriptionGraceMs: config.TRANSCRIPTION_GRACE_MS,
      farewellMs: FAREWELL_MS,
    },
    hasRoom: () =>
      !deps.stopping.aborted && calls.activeCount() < config.MAX_CALLS && publisher.count() < MAX_UNPUBLISHED,
    logger,
  };
  const app = await createTwilioApp({
    ...deps,
    publicBaseUrl: config.PUBLIC_BASE_URL,
    accountSid: config.TWILIO_ACCOUNT_SID,
    authTokens: config.TWILIO_AUTH_TOKENS,
    answer: (call, signal) => answerCall(call, answering, signal),
    note: (status, signal) => noteStatus(status, answering, signal),
    isOpen: () => !deps.stopping.aborted,
    maxStreams: config.MAX_CALLS + 50,
    maxSpeed: config.MEDIA_MAX_SPEED,
    openStream: calls.openStream,
    onRejected: metrics.onRejected,
    logger,
  });
  return {
    app,
    readiness: publisher.readiness,
    drain: async () => {
      await calls.drain(config.DRAIN_MS);
      await publisher.flush();
    },
  };
}
