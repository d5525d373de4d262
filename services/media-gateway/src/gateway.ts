import type { FastifyInstance } from 'fastify';
import type { CallEnded } from '@pipeline/contracts';
import type { Logger, Readiness } from '@pipeline/runtime';
import { createSettingsSource, type SettingsSource } from './adapters/settings.ts';
import { createTwilioApp, type TwilioDeps } from './adapters/twilio-http.ts';
import type { Agent } from './agent.ts';
import { answerCall, type AnswerDeps } from './answer-call.ts';
import { apologiseForEnd, apologiseForSilence } from './apologise.ts';
import { createArrivals } from './arrivals.ts';
import { createCalls } from './calls.ts';
import type { CallLimits } from './call/call.ts';
import type { Config } from './config.ts';
import type { GatewayGauges, GatewayMetrics } from './metrics.ts';
import { noteStatus } from './note-status.ts';
import { createEndPublisher } from './publish-end.ts';
import { createSharing, type SharedBuckets } from './sharing.ts';

export type GatewayDeps = {
  readonly config: GatewayConfig;
  readonly agent: Agent;
  readonly settings: SettingsSource;
  /** Publishes an event; rejected when the broker gives up. */
  readonly send: (event: CallEnded) => Promise<void>;
  readonly shared: SharedBuckets;
  /** `<service>/<pod>`, for people who look at what is shared. */
  readonly instance: string;
  /** Called before a status callback is answered. For fault tests. */
  readonly onNoted?: () => void;
  readonly stopping: AbortSignal;
  readonly createMetrics: (read: GatewayGauges) => GatewayMetrics;
  readonly logger: Logger;
} & Pick<TwilioDeps, 'startDeadlineMs' | 'answerDeadlineMs' | 'statusDeadlineMs' | 'requestDeadlineMs'>;

type GatewayConfig = Pick<
  Config,
  | 'PUBLIC_BASE_URL'
  | 'TWILIO_ACCOUNT_SID'
  | 'TWILIO_AUTH_TOKENS'
  | 'MAX_CALLS'
  | 'MAX_CALL_MS'
  | 'MEDIA_IDLE_MS'
  | 'MEDIA_MAX_SPEED'
  | 'AGENT_MUTE_AFTER_MS'
  | 'TRANSCRIPTION_GRACE_MS'
  | 'DRAIN_MS'
>;

export type Gateway = {
  /** What Twilio calls; not listening yet. */
  readonly app: FastifyInstance;
  /** By what it is about. */
  readonly readiness: { readonly events: () => Readiness; readonly shared: () => Readiness };
  /** Lets the calls come to their end, at most DRAIN_MS, and their events into the stream. */
  readonly drain: () => Promise<void>;
};

/** Twilio opens the media stream within seconds of our answer, or never. */
const STREAM_WAIT_MS = 60_000;
const FAREWELL_MS = 15_000;
/** Events that may wait for the broker in memory; a call is 5 to 50 kB. Callers hear a busy tone above it. */
const MAX_UNPUBLISHED = 2_000;

/** Puts the gateway together, without its sockets: the same for a test and for production. */
export async function createGateway(deps: GatewayDeps): Promise<Gateway> {
  const { config, logger } = deps;
  const { presence, directory, room, bucketRoom } = createSharing({
    ...deps.shared,
    instance: deps.instance,
    activeCount: () => calls.activeCount(),
    countBefore: (callSid, businessId) => arrivals.countBefore(callSid, businessId),
    tokenTtlMs: STREAM_WAIT_MS,
    longestCallMs: config.MAX_CALL_MS,
    logger,
  });
  const publisher = createEndPublisher({ send: deps.send, directory, logger });
  const limits = limitsOf(config);
  const calls = createCalls({
    agent: deps.agent,
    publish: publisher.publish,
    directory,
    limits,
    onOver: ({ businessId, callSid }) => room.release(businessId, callSid),
    onEnded: (event) => metrics.onEnded(event.data.call.endedReason),
    logger,
  });
  const arrivals = createArrivals(calls);
  const metrics = deps.createMetrics({
    activeCalls: () => calls.activeCount(),
    unpublished: publisher.count,
    bucketFilled: bucketRoom.filled,
  });
  const mayTake = (): boolean => !deps.stopping.aborted && publisher.count() < MAX_UNPUBLISHED && bucketRoom.hasRoom();
  const answering: AnswerDeps = {
    settings: createSettingsSource(deps.settings, logger),
    calls,
    directory,
    limits,
    room,
    arrivals,
    hasRoom: (before) => mayTake() && before < config.MAX_CALLS,
    logger,
  };
  const app = await createTwilioApp(twilioDeps(deps, answering, metrics));
  app.addHook('onClose', async () => presence.stop());
  presence.start();
  return {
    app,
    readiness: { events: publisher.readiness, shared: presence.readiness },
    drain: async () => {
      await calls.drain(config.DRAIN_MS);
      await publisher.flush();
    },
  };
}

function twilioDeps(deps: GatewayDeps, answering: AnswerDeps, metrics: GatewayMetrics): TwilioDeps {
  const { config } = deps;
  return {
    ...deps,
    publicBaseUrl: config.PUBLIC_BASE_URL,
    accountSid: config.TWILIO_ACCOUNT_SID,
    authTokens: config.TWILIO_AUTH_TOKENS,
    answer: (call, signal) => answerCall(call, answering, signal),
    apologiseForSilence: (call, signal) => apologiseForSilence(call, answering, signal),
    apologiseForEnd: (call, signal) => apologiseForEnd(call, answering, signal),
    note: async (status, signal) => {
      const noted = await noteStatus(status, answering, signal);
      deps.onNoted?.();
      return noted;
    },
    isOpen: () => !deps.stopping.aborted,
    maxStreams: config.MAX_CALLS + 50,
    maxSpeed: config.MEDIA_MAX_SPEED,
    openStream: answering.calls.openStream,
    onRejected: metrics.onRejected,
  };
}

function limitsOf(config: GatewayConfig): CallLimits {
  return {
    streamWaitMs: STREAM_WAIT_MS,
    mediaIdleMs: config.MEDIA_IDLE_MS,
    maxCallMs: config.MAX_CALL_MS,
    transcriptionGraceMs: config.TRANSCRIPTION_GRACE_MS,
    farewellMs: FAREWELL_MS,
    answerMs: config.AGENT_MUTE_AFTER_MS,
  };
}
