import { connectOperator, type BrokerConfig } from '@pipeline/messaging';
import type { Logger, Readiness } from '@pipeline/runtime';
import { createBrokerSide } from './adapters/broker.ts';
import { announce, type Announced, type AnnounceDeps } from './announce.ts';
import type { Config } from './config.ts';
import type { EndedCall } from './ended-call.ts';
import { reconcile, type Reconciled, type ReconcilerDeps } from './handler.ts';
import type { Metrics } from './metrics.ts';
import type { Verdict } from './verdict.ts';

type Outside = Pick<ReconcilerDeps, 'listEnded' | 'storedKinds'> &
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
  readonly now: () => number;
};

export type Job = {
  /** One run to its end. True when both parts of it went well; it never rejects. */
  run(signal: AbortSignal): Promise<boolean>;
  /** Unready after a run that failed, until one goes well. */
  readiness(): Readiness;
};

/** Lines that name stuck calls, of one run. */
const MAX_NAMED = 20;

/**
 * A run has two parts that do not depend on each other: calls that nobody published, and CallLogs that nobody announced. Twilio being
 * away keeps no webhook back. The broker is connected for the run alone, and a broker that is not there is told at once.
 */
export function createJob(options: JobOptions): Job {
  const { config, instance, logger, metrics, now } = options;
  let isWell = true;

  const work = async (attempt: Attempt, stopping: AbortSignal, signal: AbortSignal): Promise<boolean> => {
    const begun = now();
    const who = { config, identity: 'reconciler', instance, logger } as const;
    const operator = await connectOperator(who);
    try {
      const calls = await attempt('calls', () => reconcileCalls(operator, options, begun, signal));
      const notices = await attempt('notices', () => announceCalls(operator, options, begun, signal));
      const isDone = calls !== null && notices !== null;
      const outcome = isDone ? 'done' : stopping.aborted ? 'stopped' : 'failed';
      tell(options, { calls, notices, ms: now() - begun, outcome });
      if (isDone) metrics.onRun({ at: now(), stuck: calls.calls.stuck ?? 0, watermark: calls.watermark });
      return isDone;
    } finally {
      await operator.close();
    }
  };

  return {
    run: async (stopping) => {
      const signal = AbortSignal.any([stopping, AbortSignal.timeout(config.RUN_TIMEOUT_MS)]);
      const attempt = createAttempt(logger, stopping);
      isWell = (await attempt('run', () => work(attempt, stopping, signal))) === true || stopping.aborted;
      return isWell;
    },
    readiness: () => (isWell ? { ok: true } : { ok: false, reason: 'the last run failed, see its line' }),
  };
}

type Connected = Awaited<ReturnType<typeof connectOperator>>;

function reconcileCalls(
  operator: Connected,
  options: JobOptions,
  begun: number,
  signal: AbortSignal,
): Promise<Reconciled> {
  const { config, outside, crashPoint } = options;
  const broker = createBrokerSide(operator, () => crashPoint('rc.mid'));
  const { listEnded, storedKinds } = outside;
  const deps = { listEnded, storedKinds, ownerOf: outside.createOwners(), ...broker, report: createReport(options) };
  const rules = {
    settleMs: config.SETTLE_MS,
    overlapMs: config.OVERLAP_MS,
    lookbackMs: config.LOOKBACK_MS,
    stuckAfterMs: config.STUCK_AFTER_MS,
  };
  return reconcile(deps, rules, begun, signal);
}

function announceCalls(
  operator: Connected,
  options: JobOptions,
  begun: number,
  signal: AbortSignal,
): Promise<Announced> {
  const { config, outside, crashPoint, metrics } = options;
  const { publishNotice, lastNotice, settledUpTo } = createBrokerSide(operator, () => {
    metrics.onNotice();
    crashPoint('rc.mid');
  });
  const { listStored, announced } = outside;
  const deps = { listStored, announced, lastNotice, settledUpTo, publish: publishNotice };
  return announce(deps, { lookbackMs: config.LOOKBACK_MS, settleMs: config.SETTLE_MS }, begun, signal);
}

/** One line for each call that came back; the first of those that are stuck are named, for a person has to look at them. */
function createReport({ logger, metrics }: JobOptions): (call: EndedCall, verdict: Verdict) => void {
  let named = 0;
  return ({ callSid, status }, verdict) => {
    metrics.onCall(verdict.kind);
    if (verdict.kind === 'missing') {
      logger.info(
        { callSid, businessId: verdict.business.id, status, source: 'reconciled' },
        `[RECONCILE] ✅ Lost call ${callSid} published`,
      );
    }
    if (verdict.kind !== 'stuck' || named >= MAX_NAMED) return;
    named += 1;
    logger.error({ callSid }, 'a call has events and no CallLog after every deadline: somebody has to look at it');
  };
}

function tell(
  { logger }: JobOptions,
  run: {
    readonly calls: Reconciled | null;
    readonly notices: Announced | null;
    readonly ms: number;
    readonly outcome: string;
  },
): void {
  const { calls, notices, ms, outcome } = run;
  const watermark = calls === null ? null : new Date(calls.watermark).toISOString();
  const { pages, unreadableRows } = calls ?? {};
  logger.info({ outcome, calls: calls?.calls, notices, pages, count: unreadableRows, watermark, ms }, 'reconciled');
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
