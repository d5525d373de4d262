import type { FullSettings } from '@pipeline/contracts';
import type { Beginning, DeliveryStore, EndpointCensus, EndpointLimits, Lease } from '@pipeline/call-store/deliveries';
import type { Endpoint } from '@pipeline/egress';
import type { CrashPoint, Logger } from '@pipeline/runtime';
import type { EndpointWishes, FrozenWebhook, HandlerDeps } from '../handler.ts';
import { makeAttempt, type AttemptReport, type OpenDelivery } from './attempt.ts';
import { createDeliveryLoop, type LoopDeps, type LoopOptions } from './loop.ts';
import { shareReads } from './shared-reads.ts';
import { createUpkeep } from './upkeep.ts';

export type DispatcherOptions = {
  readonly deliveries: DeliveryStore;
  findSettings(businessId: string, signal: AbortSignal): Promise<FullSettings | null>;
  readonly endpoint: Endpoint;
  /** Name of this process and no other, not even of its predecessor: leases belong to it. */
  readonly owner: string;
  readonly config: {
    readonly WEBHOOK_SCHEDULE_SECONDS: readonly number[];
    readonly WEBHOOK_TIMEOUT_MS: number;
    readonly WEBHOOK_POLL_MS: number;
    readonly WEBHOOK_LEASE_MS: number;
    readonly WEBHOOK_SLOTS: number;
    readonly WEBHOOK_ENDPOINT_SLOTS: number;
    readonly WEBHOOK_ENDPOINT_RATE: number;
  };
  onAttempt(delivery: OpenDelivery, report: AttemptReport): void;
  onCensus(census: EndpointCensus): void;
  readonly crashPoint: CrashPoint;
  readonly logger: Logger;
};

export type Dispatcher = Pick<HandlerDeps, 'freeze' | 'frozenRevisions'> & {
  start(): void;
  stop(): Promise<void>;
};

const UPKEEP_MS = 10_000;

/** Joins the handler's needs with the delivery loop: what this process freezes it also leases, and sends at once. */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { deliveries, logger, onCensus } = options;
  const loop = createDeliveryLoop(loopDepsOf(options), loopOptionsOf(options.config));
  const { healDue, endpoints } = deliveries;
  const upkeep = createUpkeep({ healDue, census: endpoints.census, onCensus, logger }, UPKEEP_MS);
  const lease = { owner: options.owner, leaseMs: options.config.WEBHOOK_LEASE_MS };

  const freeze = async (webhook: FrozenWebhook, wishes: EndpointWishes | null, signal: AbortSignal) => {
    const leasedAt = performance.now();
    const place = wishes === null ? null : loop.keepPlace(webhook.endpointId);
    let isUsed = false;
    try {
      const beginning = beginningOf(wishes, place !== null, lease, options.config);
      const frozen = await deliveries.freeze(webhook, beginning, signal);
      options.crashPoint('wd.after_row');
      if (frozen.kind === 'held') {
        isUsed = true;
        place?.use({ delivery: openDelivery(webhook), hold: frozen.hold }, leasedAt);
      }
      return frozen.kind === 'exists' ? 'exists' : 'inserted';
    } finally {
      if (!isUsed) place?.giveBack();
    }
  };
  const frozenRevisions = async (callSid: string, endpointId: string, signal: AbortSignal) => {
    const frozen = await deliveries.frozenRevisions(callSid, signal);
    return frozen
      .filter((row) => row.endpointId === endpointId && row.eventType !== 'call.erased')
      .map((row) => row.revision);
  };
  const start = (): void => {
    loop.start();
    upkeep.start();
  };
  const stop = async (): Promise<void> => {
    upkeep.stop();
    await loop.stop();
  };
  return { freeze, frozenRevisions, start, stop };
}

function loopDepsOf(options: DispatcherOptions): LoopDeps {
  const { deliveries, owner, config, logger } = options;
  // What is in hand is finished whatever happens, so a read of its settings is nobody's to end.
  const unhurried = new AbortController().signal;
  const attemptDeps = {
    findSettings: shareReads((businessId) => options.findSettings(businessId, unhurried)),
    endpoint: options.endpoint,
    scheduleSeconds: config.WEBHOOK_SCHEDULE_SECONDS,
    limitsOf: (wishes: EndpointWishes) => limitsOf(wishes, config),
    crashPoint: options.crashPoint,
    worker: owner,
    logger,
    now: Date.now,
    random: Math.random,
  };
  return {
    claimDue: async (limit, later, places, signal) => {
      const claim = { owner, leaseMs: config.WEBHOOK_LEASE_MS, limit, later, places, signal };
      const claimed = await deliveries.claimDue(claim);
      return claimed.map(({ row, hold, dueAt }) => ({ delivery: { ...row, dueAt }, hold }));
    },
    makeAttempt: (delivery, isInTime, signal) => makeAttempt(delivery, attemptDeps, isInTime, signal),
    settle: async (hold, outcome, signal) => (await deliveries.settle(hold, outcome, signal)).kind,
    release: (hold, signal) => deliveries.release(hold, signal),
    onAttempt: options.onAttempt,
    logger,
  };
}

function loopOptionsOf(config: DispatcherOptions['config']): LoopOptions {
  return {
    slots: config.WEBHOOK_SLOTS,
    pollMs: config.WEBHOOK_POLL_MS,
    leaseMs: config.WEBHOOK_LEASE_MS,
    totalTimeoutMs: config.WEBHOOK_TIMEOUT_MS,
  };
}

/** Without a place in this process the row is due for anybody, so that no slot of the endpoint waits for one of ours. */
function beginningOf(
  wishes: EndpointWishes | null,
  hasPlace: boolean,
  lease: Lease,
  config: DispatcherOptions['config'],
): Beginning {
  if (wishes === null) return { kind: 'no_endpoint' };
  return hasPlace ? { kind: 'send', lease, limits: limitsOf(wishes, config) } : { kind: 'due' };
}

function limitsOf(wishes: EndpointWishes, config: DispatcherOptions['config']): EndpointLimits {
  return {
    ratePerSecond: wishes.ratePerSecond ?? config.WEBHOOK_ENDPOINT_RATE,
    maxInFlight: wishes.maxInFlight ?? config.WEBHOOK_ENDPOINT_SLOTS,
  };
}

function openDelivery(webhook: FrozenWebhook): OpenDelivery {
  return {
    ...webhook,
    id: `${webhook.webhookId}@${webhook.endpointId}`,
    body: Buffer.from(webhook.body),
    trigger: 'schedule',
    attempts: 0,
    priorAttempts: 0,
    ownFailures: null,
    dueAt: new Date(),
  };
}
