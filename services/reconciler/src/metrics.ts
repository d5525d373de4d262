import { createCounter, createGauge, type Service } from '@pipeline/runtime';
import type { VerdictKind } from './verdict.ts';

/** What a run tells. Of a job that ends they are seen only by who asks while it runs; its line says the same. */
export type Metrics = {
  onCall(verdict: VerdictKind): void;
  onNotice(): void;
  /** A run that began `at` ended well, in milliseconds since 1970 as Twilio counts them. */
  onRun(run: { readonly at: number; readonly stuck: number; readonly watermark: number }): void;
};

/** `elapsed` in milliseconds, on a clock that only goes forward. */
export function createMetrics(registry: Service['registry'], elapsed: () => number): Metrics {
  let last = { at: 0, stuck: 0, watermark: 0 };
  let seenAt = 0;
  const countCall = createCounter(registry, {
    name: 'reconciler_calls_total',
    help: "Calls of Twilio's list by what was found about them.",
    label: 'verdict',
  });
  const countNotice = createCounter(registry, {
    name: 'reconciler_notices_total',
    help: 'Notices that were published again for CallLogs without a delivery.',
    label: 'event',
  });
  createGauge(registry, {
    name: 'reconciler_stuck_calls',
    help: 'Calls with events and without a CallLog after every deadline, in the last run.',
    read: () => last.stuck,
  });
  createGauge(registry, {
    name: 'reconciler_last_success_seconds',
    help: 'Unix time of the last run that ended well.',
    read: () => last.at / 1_000,
  });
  createGauge(registry, {
    name: 'reconciler_watermark_age_seconds',
    help: 'How far the watermark is behind: the age of the oldest call without a CallLog.',
    read: () => (last.at === 0 ? 0 : (last.at - last.watermark + elapsed() - seenAt) / 1_000),
  });
  return {
    onCall: countCall,
    onNotice: () => countNotice('call.extracted'),
    onRun: (run) => {
      last = run;
      seenAt = elapsed();
    },
  };
}
