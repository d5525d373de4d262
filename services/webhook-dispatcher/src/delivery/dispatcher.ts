import type { FullSettings } from '@pipeline/contracts';
import type { Beginning, DeliveryStore, EndpointCensus } from '@pipeline/call-store/deliveries';
import type { Endpoint } from '@pipeline/egress';
import type { CrashPoint, Logger } from '@pipeline/runtime';
import type { EndpointWishes, FrozenWebhook, HandlerDeps } from '../handler.ts';
import { makeAttempt, type AttemptReport, type OpenDelivery } from './attempt.ts';
import { createDeliveryLoop } from './loop.ts';
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
  const { deliveries, owner, config, logger } = options;
  const lease = { owner, leaseMs: config.WEBHOOK_LEASE_MS };
  const attemptDeps = {
    findSettings: options.findSettings,
    endpoint: options.endpoint,
    scheduleSeconds: config.WEBHOOK_SCHEDULE_SECONDS,
    crashPoint: options.crashPoint,
    worker: owner,
    logger,
    now: Date.now,
    random: Math.random,
  };
  const loop = createDeliveryLoop(
    {
      claimDue: async (limit, later, signal) => {
        const claimed = await deliveries.claimDue({ ...lease, limit, later, signal });
        return claimed.map(({ row, hold, dueAt }) => ({ delivery: { ...row, dueAt }, hold }));
      },
      makeAttempt: (delivery, isInTime, signal) => makeAttempt(delivery, attemptDeps, isInTime, signal),
      settle: async (hold, outcome, signal) => (await deliveries.settle(hold, outcome, signal)).kind,
      release: (hold, signal) => deliveries.release(hold, signal),
      onAttempt: options.onAttempt,
      logger,
    },
    {
      slots: config.WEBHOOK_SLOTS,
      pollMs: config.WEBHOOK_POLL_MS,
      leaseMs: config.WEBHOOK_LEASE_MS,
      totalTimeoutMs: config.WEBHOOK_TIMEOUT_MS,
    },
  );

  const upkeep = createUpkeep(
    { healDue: deliveries.healDue, census: deliveries.endpoints.census, onCensus: options.onCensus, logger },
    UPKEEP_MS,
  );
  const beginningOf = (target: EndpointWishes | null): Beginning => {
    if (target === null) return { kind: 'no_endpoint' };
    if (!loop.hasRoom()) return { kind: 'due' };
    const ratePerSecond = target.ratePerSecond ?? config.WEBHOOK_ENDPOINT_RATE;
    const maxInFlight = target.maxInFlight ?? config.WEBHOOK_ENDPOINT_SLOTS;
    return { kind: 'send', lease, limits: { ratePerSecond, maxInFlight } };
  };
  const freeze = async (webhook: FrozenWebhook, target: EndpointWishes | null, signal: AbortSignal) => {
    const leasedAt = performance.now();
    const frozen = await deliveries.freeze(webhook, beginningOf(target), signal);
    options.crashPoint('wd.after_row');
    if (frozen.kind === 'held') loop.accept({ delivery: openDelivery(webhook), hold: frozen.hold }, leasedAt);
    return frozen.kind === 'exists' ? 'exists' : 'inserted';
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

function openDelivery(webhook: FrozenWebhook): OpenDelivery {
  const now = new Date();
  return {
    ...webhook,
    id: `${webhook.webhookId}@${webhook.endpointId}`,
    body: Buffer.from(webhook.body),
    trigger: 'schedule',
    attempts: 0,
    priorAttempts: 0,
    openedAt: now,
    dueAt: now,
  };
}
