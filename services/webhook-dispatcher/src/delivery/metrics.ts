import type { EndpointCensus } from '@pipeline/call-store/deliveries';
import { createCounter, createGauge, createHistogram, type Service } from '@pipeline/runtime';
import type { AttemptReport, OpenDelivery } from './attempt.ts';
import { createCertificateWatch } from './certificates.ts';

const GIVEN_UP: ReadonlySet<string> = new Set(['exhausted', 'disabled', 'cancelled']);
const LAG_BUCKETS_SECONDS = [0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1_800, 7_200];
const NOBODY: EndpointCensus = { paused: 0, disabled: 0, breakerOpen: 0, oldestDueSeconds: 0 };

/** What is counted and measured about deliveries. No business label. Gauges are of the last look of this process. */
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
  const countNotice = createCounter(registry, {
    name: 'webhook_endpoint_notices_total',
    help: 'What became of endpoints: failing, paused, disabled, breaker_opened, recovered, resumed.',
    label: 'kind',
  });
  const observeLag = createHistogram(registry, {
    name: 'webhook_delivery_lag_seconds',
    help: 'Time from when an attempt was due to its end.',
    buckets: LAG_BUCKETS_SECONDS,
  });
  const certificates = createCertificateWatch(now);
  createGauge(registry, {
    name: 'webhook_certificates_ending',
    help: 'Endpoints whose certificate ends within 14 days, of those that this process has sent to.',
    read: certificates.countEnding,
  });
  let census = NOBODY;
  gaugesOf(registry, () => census);
  return {
    onCensus: (latest: EndpointCensus): void => {
      census = latest;
    },
    countNotice,
    onAttempt: (delivery: OpenDelivery, report: AttemptReport): void => {
      const { state } = report.outcome.next;
      if (GIVEN_UP.has(state)) countGivenUp(state);
      certificates.note(delivery.endpointId, report.outcome.attempt?.certificateEndsAt);
      if (report.code === null) return;
      countAttempt(report.code);
      observeLag(Math.max(0, now() - delivery.dueAt.getTime()) / 1_000);
    },
  };
}

function gaugesOf(registry: Service['registry'], census: () => EndpointCensus): void {
  const gauges = [
    ['webhook_oldest_due_seconds', 'How long the oldest delivery that could be sent has waited.', 'oldestDueSeconds'],
    ['webhook_endpoints_paused', 'Endpoints that are paused: their webhooks wait.', 'paused'],
    ['webhook_endpoints_disabled', 'Endpoints that want no more webhooks.', 'disabled'],
    ['webhook_breakers_open', 'Endpoints that do not answer and get one delivery at a time.', 'breakerOpen'],
  ] as const;
  for (const [name, help, key] of gauges) createGauge(registry, { name, help, read: () => census()[key] });
}
