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
  /** False when there is more to do: its time was over, or there was no room for commands. */
  readonly isWhole: boolean;
};

const DAY_MS = 86_400_000;

/**
 * One run. First it purges again the calls that were erased lately: a stage may have held one of them in its hand, and have published
 * afterwards. Then it takes what is past its retention, the oldest first: the CallLog goes last, by extractor, so that a run that dies
 * finds the call again. Nothing without a tombstone is touched while something works on it. Repeating it and two at once are safe.
 */
export async function sweep(deps: SweepDeps, rules: SweepRules, signal: AbortSignal): Promise<Swept> {
  const begun = deps.now();
  const isOver = (): boolean => deps.now() - begun >= rules.forMs;
  const again = await purgeAgain(deps, rules, begun, isOver, signal);
  const retention = { ...NONE_RETIRED };
  let commands: CommandRoom['kind'] = 'room';
  for (const { businessId, days } of await deps.retentions(signal)) {
    if (isOver() || commands !== 'room') break;
    const before = new Date(begun - days * DAY_MS);
    const done = await retireAll({ businessId, before }, rules, { deps, isOver }, signal);
    add(retention, done.retired);
    commands = done.commands;
  }
  return { again, retention, commands, isWhole: commands === 'room' && !isOver() };
}

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
