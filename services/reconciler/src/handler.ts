import { PermanentError, type BusinessSettings, type CallEnded } from '@pipeline/contracts';
import { businessNumber, callEnded, startOf, type EndedCall } from './ended-call.ts';
import { inParallel } from './parallel.ts';
import { isOpen, judge, judgeAlone, type Facts, type JudgeRules, type Verdict, type VerdictKind } from './verdict.ts';
import { nextWatermark, sweepOf, type Mark, type Sweep, type WatermarkRules } from './watermark.ts';

/** One page of Twilio's list. `unreadable` counts rows that are no calls as we know them; `next` names the page after it. */
export type CallPage = {
  readonly calls: readonly EndedCall[];
  readonly unreadable: number;
  readonly next: string | null;
};

export interface ReconcilerDeps {
  /** The time of day by the clock that stamps the ends of calls, in milliseconds since 1970. This machine's own may be wrong. */
  time(signal: AbortSignal): Promise<number>;
  /** Calls that ended at or after a time, page by page from a named one on, or the first; some may have ended before it. */
  listEnded(sinceMs: number, from: string | null, signal: AbortSignal): AsyncIterable<CallPage>;
  /** What is stored of calls; those of which nothing is are absent. */
  storedKinds(
    callSids: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Exclude<Facts['stored'], 'none'>>>;
  /** Whose number it was at a time in milliseconds since 1970. */
  ownerOf(number: string | null, at: number, signal: AbortSignal): Promise<Facts['owner']>;
  /** Whether one of the four streams has an event of the call, of that business or any other. */
  hasEvent(businessId: string, callSid: string): Promise<boolean>;
  /** Resolves when the stream has the event. */
  publish(event: CallEnded, signal: AbortSignal): Promise<void>;
  readMark(): Promise<Mark | null>;
  writeMark(mark: Mark): Promise<void>;
  /** Whether the run has used its time: it ends with the page in its hand, and the next run goes on. */
  isEnough(): boolean;
  /** Told of each call that was judged, once it is published where that is its verdict. */
  report(call: EndedCall, verdict: Verdict): void;
}

export type ReconcilerRules = JudgeRules & WatermarkRules;

/** What one run saw. `at` is when it began and `watermark` where the next sweep begins, in milliseconds since 1970; `isWhole`: the list has come to its end. */
export type Reconciled = {
  readonly at: number;
  readonly isWhole: boolean;
  readonly pages: number;
  readonly unreadableRows: number;
  readonly calls: Readonly<Partial<Record<VerdictKind, number>>>;
  readonly watermark: number;
};

/** Calls of a page that are looked up and published at the same time. */
const AT_ONCE = 16;

/**
 * Publishes `call.ended` for every call that Twilio ended and that is nowhere with us, then moves the watermark. It moves only after
 * the last publish of the whole list was acknowledged, so a run that dies anywhere is repeated without harm; so are two runs at once.
 * Each page that was worked is noted, so a list that is too long for one run is done by several.
 */
export async function reconcile(
  deps: ReconcilerDeps,
  rules: ReconcilerRules,
  signal: AbortSignal,
): Promise<Reconciled> {
  const now = await deps.time(signal);
  const { watermark, sweep } = sweepOf(await deps.readMark(), rules, now);
  const calls: Partial<Record<VerdictKind, number>> = {};
  let { oldestOpen } = sweep;
  let [pages, unreadableRows] = [0, 0];
  const take = (call: EndedCall, verdict: Verdict): void => {
    calls[verdict.kind] = (calls[verdict.kind] ?? 0) + 1;
    if (isOpen(verdict)) oldestOpen = Math.min(oldestOpen ?? call.endedAt, call.endedAt);
    deps.report(call, verdict);
  };
  const seen = (isWhole: boolean, mark: number): Reconciled => ({
    at: now,
    isWhole,
    pages,
    unreadableRows,
    calls,
    watermark: mark,
  });
  for await (const page of pagesOf(sweep, watermark, deps, signal)) {
    pages += 1;
    unreadableRows += page.unreadable;
    await workPage(page.fresh, { deps, rules, now, take }, signal);
    if (page.next === null) continue;
    await deps.writeMark({ watermark, sweep: { ...sweep, oldestOpen, next: page.next } });
    if (deps.isEnough()) return seen(false, watermark);
  }
  const moved = nextWatermark({ oldestOpen, begun: sweep.begun }, rules);
  await deps.writeMark({ watermark: moved, sweep: null });
  return seen(true, moved);
}

/** The pages that are left of a sweep, each with the calls that none before it had. */
async function* pagesOf(
  { since, next }: Sweep,
  watermark: number,
  deps: Pick<ReconcilerDeps, 'listEnded' | 'writeMark'>,
  signal: AbortSignal,
): AsyncGenerator<CallPage & { readonly fresh: readonly EndedCall[] }> {
  const seen = new Set<string>();
  try {
    for await (const page of deps.listEnded(since, next, signal)) {
      // Pages shift while calls come in, and a list may be coarser than it was asked.
      const fresh = page.calls.filter((call) => call.endedAt >= since && !seen.has(call.callSid));
      for (const { callSid } of fresh) seen.add(callSid);
      yield { ...page, fresh };
    }
  } catch (error) {
    // The page to go on with is not to be had any more: the next run begins anew.
    if (next !== null && error instanceof PermanentError) await deps.writeMark({ watermark, sweep: null });
    throw error;
  }
}

type Work = {
  readonly deps: ReconcilerDeps;
  readonly rules: ReconcilerRules;
  readonly now: number;
  readonly take: (call: EndedCall, verdict: Verdict) => void;
};

async function workPage(calls: readonly EndedCall[], work: Work, signal: AbortSignal): Promise<void> {
  const { deps, rules, now, take } = work;
  const looked: EndedCall[] = [];
  for (const call of calls) {
    const verdict = judgeAlone(call, rules, now);
    if (verdict === null) looked.push(call);
    else take(call, verdict);
  }
  const stored = await deps.storedKinds(
    looked.map(({ callSid }) => callSid),
    signal,
  );
  await inParallel(looked, AT_ONCE, async (call) => {
    signal.throwIfAborted();
    const verdict = judge(call, await factsOf(call, stored.get(call.callSid) ?? 'none', deps, signal), rules, now);
    if (verdict.kind === 'missing') await deps.publish(callEnded(call, verdict.business), signal);
    take(call, verdict);
  });
}

/** Looks up no more than the verdict needs. */
async function factsOf(
  call: EndedCall,
  stored: Facts['stored'],
  deps: ReconcilerDeps,
  signal: AbortSignal,
): Promise<Facts> {
  if (stored !== 'none') return { stored, owner: 'nobody', hasEvent: false };
  const owner = await deps.ownerOf(businessNumber(call), startOf(call), signal);
  const hasEvent = isBusiness(owner) && (await deps.hasEvent(owner.id, call.callSid));
  return { stored, owner, hasEvent };
}

function isBusiness(owner: Facts['owner']): owner is BusinessSettings {
  return typeof owner === 'object';
}
