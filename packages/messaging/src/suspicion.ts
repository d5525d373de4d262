import { NO_DEATHS, standingOf, type Deaths, type Standing } from './crash-count.ts';
import type { MessageKey } from './message-key.ts';
import type { Context } from './settling.ts';

/** What is known of a message whose work may begin; `isNoted` says that a count is left over if the worker dies now. */
export type Suspicion = { readonly standing: Standing; readonly isNoted: boolean };

/** Of a first delivery: nobody has died of it. */
export const UNSUSPECTED: Suspicion = { standing: 'trusted', isNoted: false };

/**
 * Notes the begin of work that comes again, and lets a suspect wait until it may be worked alone. Null: its turn did not come, and it was
 * not begun. The count is a net: when it cannot be kept, work goes on without it.
 */
export async function beginAgain(context: Context, key: MessageKey): Promise<Suspicion | null> {
  const { parts, work, message, place, stopping } = context;
  const deaths = await deathsOf(context, key);
  const standing = standingOf(deaths);
  if (standing === 'guilty') return { standing, isNoted: true };
  const isSuspect = standing === 'suspect';
  if (isSuspect) {
    work.logger.warn({ seq: message.seq, callSid: key.callSid, count: deaths.count }, 'to be worked alone');
    if (!(await place.alone(parts.waitMs, stopping))) return null;
  }
  try {
    await parts.crashes.note(key, { count: deaths.count + 1, diedAlone: isSuspect });
    return { standing, isNoted: true };
  } catch (error) {
    work.logger.warn({ seq: message.seq, err: error }, 'the crash count could not be raised');
    return { standing, isNoted: false };
  }
}

/** Forgets the deaths before a message is settled: the worker lives. */
export async function forgetDeaths({ parts, work, message }: Context, key: MessageKey, { isNoted }: Suspicion) {
  if (!isNoted) return;
  try {
    await parts.crashes.clear(key);
  } catch (error) {
    work.logger.warn({ seq: message.seq, err: error }, 'the crash count could not be cleared');
  }
}

async function deathsOf({ parts, work, message }: Context, key: MessageKey): Promise<Deaths> {
  try {
    return await parts.crashes.read(key);
  } catch (error) {
    work.logger.warn({ seq: message.seq, err: error }, 'the crash count could not be read');
    return NO_DEATHS;
  }
}
