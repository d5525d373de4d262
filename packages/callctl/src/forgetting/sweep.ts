import type { CallLogReader, EndedMark, EndedRange, Tombstone } from '@pipeline/call-store/call-log';
import type { Retention } from '@pipeline/call-store/settings';
import { MAX_PURGED, type Purge, type PurgeCounts } from './purge.ts';

export type SweepDeps = Pick<CallLogReader, 'erasedSince' | 'endedBefore'> & {
  /** How long each business keeps its calls. */
  retentions(signal: AbortSignal): Promise<readonly Retention[]>;
  readonly purge: Purge;
  /** Which of these calls have a webhook that is not at an end. */
  openDeliveries(callSids: readonly string[], signal: AbortSignal): Promise<ReadonlySet<string>>;
  /** Whether a stage has still to settle an event of a call, or extractor a command. */
  isInWork(businessId: string, callSid: string): Promise<boolean>;
  /** Asks extractor to empty the CallLog of a call whose retention is over. */
  askToEmpty(businessId: string, callSid: string, signal: AbortSignal): Promise<void>;
  /** Milliseconds since 1970. */
  now(): number;
  progress(line: string): void;
};

export type SweepRules = {
  /** Tombstones that are younger are purged again, in milliseconds. */
  readonly againMs: number;
  /** Calls of one business that a run empties, at most. */
  readonly limit: number;
  /** Milliseconds after which nothing new is begun. */
  readonly forMs: number;
  /** Only says what would be done. */
  readonly isRehearsal: boolean;
};

/** What one run did. `isWhole` is false when its time was over before it had seen everything. */
export type Swept = {
  readonly again: PurgeCounts & { readonly calls: number };
  readonly retention: PurgeCounts & {
    /** Calls past the retention of their business, as many as were looked at. */
    readonly due: number;
    /** Of these: left for a later run, because a stage or a receiver has still to do with them. */
    readonly inWork: number;
    /** Emptied but for the CallLog, which extractor is asked to empty. */
    readonly emptied: number;
  };
  readonly isWhole: boolean;
};

const DAY_MS = 86_400_000;
/** Calls that are purged together; each is looked up in every stream first. */
const BATCH = 50;

/**
 * One run. First it purges again the calls that were erased lately: a stage may have held one of them in its hand, and have published
 * afterwards. Then it takes what is past its retention, the oldest first: the CallLog goes last, by extractor, so that a run that dies
 * finds the call again. Nothing without a tombstone is touched while something works on it. Repeating it and two at once are safe.
 */
export async function sweep(deps: SweepDeps, rules: SweepRules, signal: AbortSignal): Promise<Swept> {
  const begun = deps.now();
  const isOver = (): boolean => deps.now() - begun >= rules.forMs;
  const again = await purgeAgain(deps, rules, begun, isOver, signal);
  const retention = { due: 0, inWork: 0, emptied: 0, ...NOTHING };
  for (const kept of await deps.retentions(signal)) {
    if (isOver()) break;
    const before = new Date(begun - kept.days * DAY_MS);
    add(retention, await retireAll({ businessId: kept.businessId, before }, { deps, rules, isOver }, signal));
  }
  return { again, retention, isWhole: !isOver() };
}

const NOTHING: PurgeCounts = { messages: 0, bodies: 0, attempts: 0 };

async function purgeAgain(
  deps: SweepDeps,
  rules: SweepRules,
  begun: number,
  isOver: () => boolean,
  signal: AbortSignal,
): Promise<Swept['again']> {
  const again = { calls: 0, ...NOTHING };
  const since = new Date(begun - rules.againMs);
  for (let after: Tombstone | undefined; !isOver();) {
    const page = { since, limit: MAX_PURGED, ...(after === undefined ? {} : { after }) };
    const tombstones = await deps.erasedSince(page, signal);
    const callSids = tombstones.map(({ callSid }) => callSid);
    const purged = rules.isRehearsal || callSids.length === 0 ? NOTHING : await deps.purge.erased(callSids, signal);
    add(again, { calls: callSids.length, ...purged });
    after = tombstones.at(-1);
    if (after === undefined) break;
    deps.progress(`${again.calls} erased calls purged again ...`);
  }
  return again;
}

type Run = { readonly deps: SweepDeps; readonly rules: SweepRules; readonly isOver: () => boolean };

/** What is in work stands in nobody's way: a business whose endpoint has been paused for long has younger calls too. */
async function retireAll(
  of: { readonly businessId: string; readonly before: Date },
  { deps, rules, isOver }: Run,
  signal: AbortSignal,
): Promise<Swept['retention']> {
  const retired = { due: 0, inWork: 0, emptied: 0, ...NOTHING };
  for (let after: EndedRange['after']; retired.emptied < rules.limit && !isOver();) {
    const limit = Math.min(BATCH, rules.limit - retired.emptied);
    const page = await deps.endedBefore({ ...of, limit, ...(after === undefined ? {} : { after }) }, signal);
    const last = page.at(-1);
    if (last === undefined) break;
    const due = page.map(({ callSid }) => callSid);
    add(retired, await retire(of.businessId, due, deps, rules, signal));
    after = behind(page, last.endedAt, after);
    deps.progress(`${of.businessId}: ${retired.due} calls are past their days, ${retired.inWork} of them in work ...`);
  }
  return retired;
}

function behind(page: readonly EndedMark[], endedAt: Date, before: EndedRange['after']): EndedRange['after'] {
  const told = page.filter((mark) => mark.endedAt.getTime() === endedAt.getTime()).map(({ callSid }) => callSid);
  return { endedAt, told: before?.endedAt.getTime() === endedAt.getTime() ? [...before.told, ...told] : told };
}

async function retire(
  businessId: string,
  due: readonly string[],
  deps: SweepDeps,
  rules: SweepRules,
  signal: AbortSignal,
): Promise<Swept['retention']> {
  const open = await deps.openDeliveries(due, signal);
  const looked = await Promise.all(
    due.map(async (callSid) => ({
      callSid,
      isFree: !open.has(callSid) && !(await deps.isInWork(businessId, callSid)),
    })),
  );
  const free = looked.filter(({ isFree }) => isFree).map(({ callSid }) => callSid);
  const counts = { due: due.length, inWork: due.length - free.length, emptied: free.length };
  if (rules.isRehearsal || free.length === 0) return { ...counts, ...NOTHING };
  const purged = await deps.purge.retired(free, signal);
  for (const callSid of free) await deps.askToEmpty(businessId, callSid, signal);
  return { ...counts, ...purged };
}

function add<K extends string>(sum: Record<K, number>, more: Readonly<Record<K, number>>): void {
  for (const key of Object.keys(more) as K[]) sum[key] += more[key]; // Object.keys loses the literal type
}
