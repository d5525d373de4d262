import type { Logger } from '@pipeline/runtime';
import type { Announced } from './announce.ts';
import type { EndedCall } from './ended-call.ts';
import type { Reconciled } from './handler.ts';
import type { Metrics } from './metrics.ts';
import type { Verdict } from './verdict.ts';

/** What the two parts of a run came to; null for one that failed. */
export type RunParts = { readonly calls: Reconciled | null; readonly notices: Announced | null };

/** Lines that name stuck and doubtful calls, of one run. */
const MAX_NAMED = 20;

/** One line for each call that came back; the first of those that are stuck are named, for a person has to look at them. */
export function createReport(
  logger: Logger,
  metrics: Pick<Metrics, 'onCall'>,
): (call: EndedCall, verdict: Verdict) => void {
  let named = 0;
  return ({ callSid, status }, verdict) => {
    metrics.onCall(verdict.kind);
    if (verdict.kind === 'missing') {
      const fields = { callSid, businessId: verdict.business.id, status, source: 'reconciled' };
      logger.info(fields, `[RECONCILE] ✅ Lost call ${callSid} published`);
    }
    if ((verdict.kind !== 'stuck' && verdict.kind !== 'doubtful') || named >= MAX_NAMED) return;
    named += 1;
    if (verdict.kind === 'doubtful') {
      logger.warn({ callSid }, 'the number of a lost call changed hands when it began: it was given to nobody');
      return;
    }
    logger.error({ callSid }, 'a call has events and no CallLog after every deadline: somebody has to look at it');
  };
}

/** The one line of a run, whatever came of it. */
export function tellRun(logger: Logger, run: RunParts & { readonly ms: number; readonly outcome: string }): void {
  const { calls, notices, ms, outcome } = run;
  const watermark = calls === null ? null : new Date(calls.watermark).toISOString();
  const { pages, unreadableRows } = calls ?? {};
  logger.info({ outcome, calls: calls?.calls, notices, pages, count: unreadableRows, watermark, ms }, 'reconciled');
}
