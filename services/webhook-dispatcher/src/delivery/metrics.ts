import { createCounter, createHistogram, type Service } from '@pipeline/runtime';
import type { AttemptReport, OpenDelivery } from './attempt.ts';

const GIVEN_UP: ReadonlySet<string> = new Set(['exhausted', 'disabled', 'cancelled']);
const LAG_BUCKETS_SECONDS = [0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1_800, 7_200];

/** Counts attempts and what was given up, and measures how long first attempts had to wait. No business label. */
export function createDeliveryMetrics(registry: Service['registry'], now: () => number) {
  const countAttempt = createCounter(registry, {
    name: 'webhook_attempts_total',
    help: 'Attempts by how they ended.',
    label: 'outcome',
  });
  const countGivenUp = createCounter(registry, {
    name: 'webhook_given_up_total',
    help: 'Deliveries that are not tried again by themselves, by why.',
    label: 'reason',
  });
  const observeLag = createHistogram(registry, {
    name: 'webhook_delivery_lag_seconds',
    help: 'Time from freezing a webhook to the end of its first attempt.',
    buckets: LAG_BUCKETS_SECONDS,
  });
  return {
    onAttempt: (delivery: OpenDelivery, report: AttemptReport): void => {
      const { state } = report.outcome.next;
      if (GIVEN_UP.has(state)) countGivenUp(state);
      if (report.code === null) return;
      countAttempt(report.code);
      if (delivery.attempts === 0) observeLag(Math.max(0, now() - delivery.openedAt.getTime()) / 1_000);
    },
  };
}
