import type { FullSettings } from '@pipeline/contracts';
import type { DeliveryStore } from '@pipeline/call-store/deliveries';
import type { Endpoint } from '@pipeline/egress';
import type { CrashPoint, Logger } from '@pipeline/runtime';
import type { FrozenWebhook, HandlerDeps } from '../handler.ts';
import { makeAttempt, type AttemptReport, type OpenDelivery } from './attempt.ts';
import { createDeliveryLoop } from './loop.ts';

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
  };
  onAttempt(delivery: OpenDelivery, report: AttemptReport): void;
  readonly crashPoint: CrashPoint;
  readonly logger: Logger;
};

export type Dispatcher = Pick<HandlerDeps, 'freeze' | 'frozenRevisions'> & {
  start(): void;
  stop(): Promise<void>;
};

/** Joins the handler's needs with the delivery loop: what this process freezes it also leases, and sends at once. */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { deliveries, owner, config, logger } = options;
  const lease = { owner, leaseMs: config.WEBHOOK_LEASE_MS };
  const perEndpoint = config.WEBHOOK_ENDPOINT_SLOTS;
  const attemptDeps = {
    findSettings: options.findSettings,
    endpoint: options.endpoint,
    scheduleSeconds: config.WEBHOOK_SCHEDULE_SECONDS,
    worker: owner,
    logger,
    now: Date.now,
    random: Math.random,
  };
  const loop = createDeliveryLoop(
    {
      claimDue: (limit, signal) => deliveries.claimDue({ ...lease, limit, perEndpoint, signal }),
      makeAttempt: (delivery, isInTime, signal) => makeAttempt(delivery, attemptDeps, isInTime, signal),
      settle: async (id, outcome, signal) => (await deliveries.settle(id, owner, outcome, signal)).kind,
      release: (id, signal) => deliveries.release(id, owner, signal),
      onAttempt: options.onAttempt,
      logger,
    },
    {
      slots: config.WEBHOOK_SLOTS,
      perEndpoint,
      pollMs: config.WEBHOOK_POLL_MS,
      leaseMs: config.WEBHOOK_LEASE_MS,
      totalTimeoutMs: config.WEBHOOK_TIMEOUT_MS,
    },
  );

  const freeze = async (webhook: FrozenWebhook, hasEndpoint: boolean, signal: AbortSignal) => {
    const leasedAt = performance.now();
    const kept = await deliveries.freeze(webhook, hasEndpoint ? lease : null, signal);
    options.crashPoint('wd.after_row');
    if (kept === 'inserted' && hasEndpoint) loop.accept(openDelivery(webhook), leasedAt);
    return kept;
  };
  const frozenRevisions = async (callSid: string, endpointId: string, signal: AbortSignal) => {
    const frozen = await deliveries.frozenRevisions(callSid, signal);
    return frozen
      .filter((row) => row.endpointId === endpointId && row.eventType !== 'call.erased')
      .map((row) => row.revision);
  };
  return { freeze, frozenRevisions, start: loop.start, stop: loop.stop };
}

function openDelivery(webhook: FrozenWebhook): OpenDelivery {
  return {
    ...webhook,
    id: `${webhook.webhookId}@${webhook.endpointId}`,
    body: Buffer.from(webhook.body),
    attempts: 0,
    createdAt: new Date(),
  };
}
