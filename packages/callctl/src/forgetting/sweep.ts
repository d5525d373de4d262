import type { CallLogReader, Tombstone } from '@pipeline/call-store/call-log';
import type { Retention } from '@pipeline/call-store/settings';
import type { CommandRoom } from './command-room.ts';
import { add, MAX_PURGED, NOTHING, type Purge, type PurgeCounts } from './purge.ts';
import { NONE_RETIRED, retireAll, type Retired, type RetentionDeps, type RetentionRules } from './retention.ts';

export type SweepDeps = Pick<CallLogReader, 'erasedSince'> &
  RetentionDeps & {
    /** How long each business keeps its calls. */
    retentions(signal: AbortSignal): Promise<readonly Retention[]>;
    readonly purge: Purge;
    /** Milliseconds since 1970. */
    now(): number;
    /** From 0 up to 1: where a run begins, so that what it has no time for is not always the same. */
    random(): number;
  };

export type SweepRules = RetentionRules & {
  /** Tombstones that are younger are purged again, in milliseconds. */
  readonly againMs: number;
  /** Milliseconds after which nothing new is begun. */
  readonly forMs: number;
};

/** What one run did. */
export type Swept = {
  readonly again: PurgeCounts & { readonly calls: number };
  readonly retention: Retired;
  /** `room`, or why no more of a retention could be asked for: extractor's `backlog`, or a stream of commands that is `full` enough. */
  readonly commands: CommandRoom['kind'];
  /** Businesses whose retention could not be ended as far as it should, and why. The others were not held up. */
  readonly failed: readonly { readonly businessId: string; readonly reason: string }[];
  /** False when there is more to do: its time was over, there was no room for commands, or a business failed. */
  readonly isWhole: boolean;
};

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** The part of its time that a run has for tombstones. */
const AGAIN_SHARE = 0.5;

/**
 * One run. First it purges again the calls that were erased lately: a stage may have held one of them in its hand, and have published
 * afterwards. Then it takes what is past its retention, the oldest first: the CallLog goes last, by extractor, so that a run that dies
 * finds the call again. Nothing without a tombstone is touched while something works on it. Repeating it and two at once are safe.
 */
export async function sweep(deps: SweepDeps, rules: SweepRules, signal: AbortSignal): Promise<Swept> {
  const begun = deps.now();
  const isAfter = (ms: number): boolean => deps.now() - begun >= ms;
  const again = { calls: 0, ...NOTHING };
  let isWhole = true;
  for (const stretch of stretches(begun, rules, deps.random())) {
    const run = { deps, rules, isOver: () => isAfter(AGAIN_SHARE * rules.forMs) };
    isWhole = (await purgeAgain(again, stretch, run, signal)) && isWhole;
  }
  const retention = { ...NONE_RETIRED };
  const failed: { businessId: string; reason: string }[] = [];
  let commands: CommandRoom['kind'] = 'room';
  const isOver = (): boolean => isAfter(rules.forMs);
  for (const { businessId, days } of rotated(await deps.retentions(signal), deps.random())) {
    if (isOver() || commands !== 'room') break;
    const before = new Date(begun - days * DAY_MS);
    const done = await retireAll({ businessId, before }, rules, { deps, isOver }, signal);
    add(retention, done.retired);
    commands = done.commands;
    if (done.failure !== null) failed.push({ businessId, reason: done.failure });
  }
  isWhole &&= commands === 'room' && failed.length === 0 && !isOver();
  return { again, retention, commands, failed, isWhole };
}

/** A stretch of time, its end not in it. */
type Stretch = { readonly since: Date; readonly until: Date };

/**
 * The age in which tombstones are purged again, in the order that a run takes them: the last hour, in which a stage most likely held a call
 * in its hand; then from another place each run to the end, and from the beginning to there.
 */
function stretches(begun: number, { againMs }: SweepRules, random: number): Stretch[] {
  const [first, last] = [begun - againMs, begun - HOUR_MS];
  const from = first + random * (last - first);
  // By the clock of the database, which may be ahead of this one.
  const end = begun + DAY_MS;
  const ends = [
    [last, end],
    [from, last],
    [first, from],
  ] as const;
  return ends.map(([since, until]) => ({ since: new Date(since), until: new Date(until) }));
}

function rotated<T>(all: readonly T[], random: number): T[] {
  const at = Math.floor(random * all.length);
  return [...all.slice(at), ...all.slice(0, at)];
}

/** False when its time was over before the end of the stretch. */
async function purgeAgain(
  again: Record<keyof Swept['again'], number>,
  { since, until }: Stretch,
  { deps, rules, isOver }: { readonly deps: SweepDeps; readonly rules: SweepRules; isOver(): boolean },
  signal: AbortSignal,
): Promise<boolean> {
  for (let after: Tombstone | undefined; !isOver();) {
    const page = { since, limit: MAX_PURGED, ...(after === undefined ? {} : { after }) };
    const tombstones = await deps.erasedSince(page, signal);
    const callSids = tombstones.filter(({ erasedAt }) => erasedAt < until).map(({ callSid }) => callSid);
    if (callSids.length === 0) return true;
    const purged = rules.isRehearsal ? NOTHING : await deps.purge.erased(callSids, signal);
    add(again, { calls: callSids.length, ...purged });
    after = tombstones.at(-1);
    deps.progress(`${again.calls} erased calls purged again ...`);
  }
  return false;
}
