import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What the stage runner reports of one message when it is settled. Times in milliseconds. */
export type Settlement = {
  readonly stage: string;
  readonly outcome: 'done' | 'already_done' | 'handed_on' | 'retried' | 'dead';
  readonly ms: number;
};

export type StageMetrics = {
  onSettled(settlement: Settlement): void;
  onPaused(stage: string, reason: string, paused: boolean): void;
};

/** The metrics of a stage: how messages ended, how long they took, whether the stage is paused. No call or business label. */
export function createStageMetrics(registry: Registry): StageMetrics {
  const settled = new Counter({
    name: 'stage_messages_total',
    help: 'Messages by how they were settled.',
    labelNames: ['stage', 'outcome'],
    registers: [registry],
  });
  const seconds = new Histogram({
    name: 'stage_process_seconds',
    help: 'Time from receiving a message to settling it.',
    labelNames: ['stage'],
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 180, 600, 900],
    registers: [registry],
  });
  const pausedGauge = new Gauge({
    name: 'stage_paused',
    help: '1 while the provider rejects our credentials, quota or model.',
    labelNames: ['stage', 'reason'],
    registers: [registry],
  });
  return {
    onSettled: ({ stage, outcome, ms }) => {
      settled.inc({ stage, outcome });
      seconds.observe({ stage }, ms / 1_000);
    },
    onPaused: (stage, reason, paused) => pausedGauge.set({ stage, reason }, paused ? 1 : 0),
  };
}
