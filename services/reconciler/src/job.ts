import { connectOperator, type BrokerConfig } from '@pipeline/messaging';
import type { Logger, Readiness } from '@pipeline/runtime';
import { createBrokerSide } from './adapters/broker.ts';
import { announce, type Announced, type AnnounceDeps } from './announce.ts';
import type { Config } from './config.ts';
import { reconcile, type Reconciled, type ReconcilerDeps } from './handler.ts';
import type { Metrics } from './metrics.ts';
import { createReport, tellRun, type RunParts } from './report.ts';

type Outside = Pick<ReconcilerDeps, 'time' | 'listEnded' | 'storedKinds'> &
  Pick<AnnounceDeps, 'listStored' | 'announced'> & {
    /** Made anew for each run: what a run remembers is forgotten after it. */
    createOwners(): ReconcilerDeps['ownerOf'];
  };

export type JobOptions = {
  readonly config: Config & BrokerConfig;
  readonly instance: string;
  readonly outside: Outside;
  readonly crashPoint: (point: string) => void;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Milliseconds on a clock that only goes forward, for durations: what time of day this machine thinks it is decides nothing. */
  readonly elapsed: () => number;
};

export type Job = {
  /** One run to its end. True when both parts of it went well; it never rejects. */
  run(signal: AbortSignal): Promise<boolean>;
  /** Unready after a run that failed, until one goes well. */
  readiness(): Readiness;
};

/**
 * A run has two parts that do not depend on each other, and are done beside each other: calls that nobody published, and CallLogs that
 * nobody announced. Twilio being away or slow keeps no webhook back. The broker is connected for the run alone, and a broker that is not there is told at once.
 */
export function createJob(options: JobOptions): Job {
  const { config, instance, logger, metrics, elapsed } = options;
  let isWell = true;

  /** Both parts as far as they came. */
  const work = async (attempt: Attempt, begun: number, signal: AbortSignal): Promise<RunParts> => {
    const operator = await attempt('broker', () =>
      connectOperator({ config, identity: 'reconciler', instance, logger }),
    );
    if (operator === null) return { calls: null, notices: null };
    try {
      const [calls, notices] = await Promise.all([
        attempt('calls', () => reconcileCalls(operator, options, begun, signal)),
        attempt('notices', () => announceCalls(operator, options, signal)),
      ]);
      return { calls, notices };
    } finally {
      await operator.close();
    }
  };

  return {
    run: async (stopping) => {
      const begun = elapsed();
      const signal = AbortSignal.any([stopping, AbortSignal.timeout(config.RUN_TIMEOUT_MS)]);
      const { calls, notices } = await work(createAttempt(logger, stopping), begun, signal);
      const isDone = calls !== null && notices !== null;
      const cutOff = stopping.aborted ? 'stopped' : 'failed';
      const outcome = isDone ? (calls.isWhole ? 'done' : 'continues') : cutOff;
      tellRun(logger, { calls, notices, ms: Math.round(elapsed() - begun), outcome });
      if (isDone) metrics.onRun({ at: calls.at, stuck: calls.calls.stuck ?? 0, watermark: calls.watermark });
      isWell = outcome !== 'failed';
      return isWell;
    },
    readiness: () => (isWell ? { ok: true } : { ok: false, reason: 'the last run failed, see its line' }),
  };
}

/** Of the time of a run: what a page of Twilio's list may take is left of it. */
const ENOUGH = 0.75;

type Connected = Awaited<ReturnType<typeof connectOperator>>;

function reconcileCalls(
  operator: Connected,
  options: JobOptions,
  begun: number,
  signal: AbortSignal,
): Promise<Reconciled> {
  const { config, outside, crashPoint } = options;
  const broker = createBrokerSide(operator, () => crashPoint('rc.mid'));
  const { time, listEnded, storedKinds } = outside;
  const deps = {
    ...broker,
    time,
    listEnded,
    storedKinds,
    ownerOf: outside.createOwners(),
    isEnough: () => options.elapsed() - begun >= config.RUN_TIMEOUT_MS * ENOUGH,
    report: createReport(options.logger, options.metrics),
  };
  const rules = {
    settleMs: config.SETTLE_MS,
    overlapMs: config.OVERLAP_MS,
    lookbackMs: config.LOOKBACK_MS,
    stuckAfterMs: config.STUCK_AFTER_MS,
  };
  return reconcile(deps, rules, signal);
}

function announceCalls(operator: Connected, options: JobOptions, signal: AbortSignal): Promise<Announced> {
  const { config, outside, crashPoint, metrics } = options;
  const { publishNotice, lastNotice, settledUpTo, time } = createBrokerSide(operator, () => {
    metrics.onNotice();
    crashPoint('rc.mid');
  });
  const { listStored, announced } = outside;
  const deps = { time, listStored, announced, lastNotice, settledUpTo, publish: publishNotice };
  return announce(deps, { lookbackMs: config.LOOKBACK_MS, settleMs: config.SETTLE_MS }, signal);
}

type Attempt = <T>(phase: string, part: () => Promise<T>) => Promise<T | null>;

/** What a part came to; null when it failed, which is told as an error, unless our own shutdown cut it off. */
function createAttempt(logger: Logger, stopping: AbortSignal): Attempt {
  return async (phase, part) => {
    try {
      return await part();
    } catch (error) {
      if (!stopping.aborted) logger.error({ phase, err: error }, 'a part of the run failed, the next run repeats it');
      return null;
    }
  };
}
