import { createCounter, createGauge, type Service } from '@pipeline/runtime';

export type GatewayMetrics = {
  /** A call ended, by its `endedReason`. */
  onEnded(reason: string): void;
  /** Something that came from outside was refused or not answered by an agent, by a short reason. */
  onRejected(reason: string): void;
};

/** What is read when somebody asks for the metrics. */
export type GatewayGauges = {
  readonly activeCalls: () => number;
  readonly unpublished: () => number;
  readonly bucketFilled: () => number;
};

export function createGatewayMetrics(registry: Service['registry'], read: GatewayGauges): GatewayMetrics {
  createGauge(registry, { name: 'gateway_active_calls', help: 'Calls that are not over.', read: read.activeCalls });
  createGauge(registry, {
    name: 'gateway_unpublished_events',
    help: 'call.ended events that the stream does not have yet.',
    read: read.unpublished,
  });
  createGauge(registry, {
    name: 'gateway_calls_bucket_filled',
    help: 'How much of the bucket of the calls is taken, 0 to 1; from 0.9 on new calls are refused.',
    read: read.bucketFilled,
  });
  const ended = createCounter(registry, {
    name: 'gateway_calls_ended_total',
    help: 'Calls by the reason of their end, counted once call.ended is stored.',
    label: 'reason',
  });
  const rejected = createCounter(registry, {
    name: 'ingress_rejected_total',
    help: 'Requests, streams and calls that were refused.',
    label: 'reason',
  });
  return { onEnded: ended, onRejected: rejected };
}

export function createLoopMetrics(registry: Service['registry'], loop: { readonly p99Ms: () => number }): void {
  createGauge(registry, {
    name: 'gateway_loop_delay_ms',
    help: 'How late the event loop was in the last second, 99th percentile.',
    read: loop.p99Ms,
  });
}
