import type { BusinessSettings, CallEnded } from '@pipeline/contracts';
import { businessNumber, callEnded, type EndedCall } from './ended-call.ts';
import { inParallel } from './parallel.ts';
import { isOpen, judge, judgeAlone, type Facts, type JudgeRules, type Verdict, type VerdictKind } from './verdict.ts';
import { listFrom, nextWatermark, type WatermarkRules } from './watermark.ts';

/** One page of Twilio's list. `unreadable` counts rows that are no calls as we know them. */
export type CallPage = { readonly calls: readonly EndedCall[]; readonly unreadable: number };

export interface ReconcilerDeps {
  /** Calls that ended at or after a time, page by page; some may have ended before it. */
  listEnded(sinceMs: number, signal: AbortSignal): AsyncIterable<CallPage>;
  /** What is stored of calls; those of which nothing is are absent. */
  storedKinds(
    callSids: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Exclude<Facts['stored'], 'none'>>>;
  /** Whose number it is. */
  ownerOf(number: string | null, signal: AbortSignal): Promise<Facts['owner']>;
  /** Whether one of the four streams has an event of the call. */
  hasEvent(businessId: string, callSid: string): Promise<boolean>;
  /** Resolves when the stream has the event. */
  publish(event: CallEnded, signal: AbortSignal): Promise<void>;
  readWatermark(): Promise<number | null>;
  writeWatermark(ms: number): Promise<void>;
  /** Told of each call that was judged, once it is published where that is its verdict. */
  report(call: EndedCall, verdict: Verdict): void;
}

export type ReconcilerRules = JudgeRules & WatermarkRules;

/** What one run saw. `watermark` is where the next one begins, in milliseconds since 1970. */
export type Reconciled = {
  readonly pages: number;
  readonly unreadableRows: number;
  readonly calls: Readonly<Partial<Record<VerdictKind, number>>>;
  readonly watermark: number;
};

/** Calls of a page that are looked up and published at the same time. */
const AT_ONCE = 16;

/**
 * Publishes `call.ended` for every call that Twilio ended and that is nowhere with us, then moves the watermark. It moves only after
 * the last publish was acknowledged, so a run that dies anywhere is repeated without harm; so are two runs at once.
 */
export async function reconcile(
  deps: ReconcilerDeps,
  rules: ReconcilerRules,
  now: number,
  signal: AbortSignal,
): Promise<Reconciled> {
  const since = listFrom(await deps.readWatermark(), rules, now);
  const seen = new Set<string>();
  const open: number[] = [];
  const calls: Partial<Record<VerdictKind, number>> = {};
  let [pages, unreadableRows] = [0, 0];
  const take = (call: EndedCall, verdict: Verdict): void => {
    calls[verdict.kind] = (calls[verdict.kind] ?? 0) + 1;
    if (isOpen(verdict)) open.push(call.endedAt);
    deps.report(call, verdict);
  };
  for await (const page of deps.listEnded(since, signal)) {
    pages += 1;
    unreadableRows += page.unreadable;
    // Pages shift while calls come in, and a list may be coarser than it was asked.
    const fresh = page.calls.filter((call) => call.endedAt >= since && !seen.has(call.callSid));
    for (const { callSid } of fresh) seen.add(callSid);
    await workPage(fresh, { deps, rules, now, take }, signal);
  }
  const watermark = nextWatermark(open, rules, now);
  await deps.writeWatermark(watermark);
  return { pages, unreadableRows, calls, watermark };
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
  const owner = await deps.ownerOf(businessNumber(call), signal);
  const hasEvent = isBusiness(owner) && (await deps.hasEvent(owner.id, call.callSid));
  return { stored, owner, hasEvent };
}

function isBusiness(owner: Facts['owner']): owner is BusinessSettings {
  return typeof owner === 'object';
}
