import type { CallLogReader, EndedMark, EndedRange } from '@pipeline/call-store/call-log';
import { RetryLaterError } from '@pipeline/contracts';
import { BrokerError } from '@pipeline/messaging';
import { CommandError } from '../verb.ts';
import type { CommandRoom } from './command-room.ts';
import { add, NOTHING, type Purge, type PurgeCounts } from './purge.ts';

export type RetentionDeps = Pick<CallLogReader, 'endedBefore'> & {
  readonly purge: Pick<Purge, 'retired'>;
  /** Which of these calls have a webhook that is not at an end. */
  openDeliveries(callSids: readonly string[], signal: AbortSignal): Promise<ReadonlySet<string>>;
  /** Whether a stage has still to settle an event of a call, or extractor a command. */
  isInWork(businessId: string, callSid: string): Promise<boolean>;
  /** How many more commands extractor and their stream bear now. */
  commandRoom(): Promise<CommandRoom>;
  /** Asks extractor to empty the CallLog of a call whose retention is over. */
  askToEmpty(businessId: string, callSid: string, signal: AbortSignal): Promise<void>;
  progress(line: string): void;
};

export type RetentionRules = {
  /** Calls of one business that a run empties, at most. */
  readonly limit: number;
  /** Only says what would be done. */
  readonly isRehearsal: boolean;
};

/** What became of calls past their retention. */
export type Retired = PurgeCounts & {
  /** Calls past the retention of their business, as many as were looked at. */
  readonly due: number;
  /** Of these: left for a later run, because a stage or a receiver has still to do with them. */
  readonly inWork: number;
  /** Emptied but for the CallLog, which extractor is asked to empty. */
  readonly emptied: number;
};

export const NONE_RETIRED: Retired = { due: 0, inWork: 0, emptied: 0, ...NOTHING };

/** Calls that are purged together; each is looked up in every stream first. */
const BATCH = 50;

type Business = { readonly businessId: string; readonly before: Date };
type Run = { readonly deps: RetentionDeps; isOver(): boolean };

/**
 * Ends the retention of one business, the oldest calls first. What is in work stands in nobody's way: a business whose endpoint has been
 * paused for long has younger calls too. `commands` tells why it stopped, if it was for want of room for commands; `failure` why it could
 * not go on, so that it stands in no other business's way. Throws only what `signal` was aborted with.
 */
export async function retireAll(
  of: Business,
  rules: RetentionRules,
  run: Run,
  signal: AbortSignal,
): Promise<{ readonly retired: Retired; readonly commands: CommandRoom['kind']; readonly failure: string | null }> {
  const retired = { ...NONE_RETIRED };
  try {
    return { retired, commands: await retireInto(retired, of, rules, run, signal), failure: null };
  } catch (error) {
    signal.throwIfAborted();
    return { retired, commands: 'room', failure: wordsOf(error) };
  }
}

async function retireInto(
  retired: Record<keyof Retired, number>,
  of: Business,
  rules: RetentionRules,
  { deps, isOver }: Run,
  signal: AbortSignal,
): Promise<CommandRoom['kind']> {
  for (let after: EndedRange['after']; retired.emptied < rules.limit && !isOver();) {
    const room = rules.isRehearsal ? ({ kind: 'room', commands: BATCH } as const) : await deps.commandRoom();
    if (room.kind !== 'room') return room.kind;
    const limit = Math.min(BATCH, rules.limit - retired.emptied, room.commands);
    const page = await deps.endedBefore({ ...of, limit, ...(after === undefined ? {} : { after }) }, signal);
    const last = page.at(-1);
    if (last === undefined) break;
    const due = page.map(({ callSid }) => callSid);
    add(retired, await retire(of.businessId, due, deps, rules, signal));
    after = behind(page, last.endedAt, after);
    deps.progress(`${of.businessId}: ${retired.due} calls are past their days, ${retired.inWork} of them in work ...`);
  }
  return 'room';
}

/** Only our own words: a driver's may hold a value. */
function wordsOf(error: unknown): string {
  const isOurs = error instanceof RetryLaterError || error instanceof BrokerError || error instanceof CommandError;
  return isOurs ? error.message : error instanceof Error ? error.name : 'failed';
}

function behind(page: readonly EndedMark[], endedAt: Date, before: EndedRange['after']): EndedRange['after'] {
  const told = page.filter((mark) => mark.endedAt.getTime() === endedAt.getTime()).map(({ callSid }) => callSid);
  return { endedAt, told: before?.endedAt.getTime() === endedAt.getTime() ? [...before.told, ...told] : told };
}

async function retire(
  businessId: string,
  due: readonly string[],
  deps: RetentionDeps,
  rules: RetentionRules,
  signal: AbortSignal,
): Promise<Retired> {
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
