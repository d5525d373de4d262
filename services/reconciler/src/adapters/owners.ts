import { StoreError, type FormerNumber, type SettingsReader } from '@pipeline/call-store/settings';
import type { BusinessSettings } from '@pipeline/contracts';
import type { Facts } from '../verdict.ts';

type Settings = Pick<SettingsReader, 'byPhone' | 'byId' | 'formerNumbers'>;

/** Numbers that one run remembers; beyond that each is asked for again. */
const MAX_KNOWN = 10_000;
/** Milliseconds around the change of a number in which a call may be of either: the clocks of Twilio and of the database are two. */
const DOUBT_MS = 60_000;

/**
 * Whose number it was at a time, with the settings of today; everything is asked once a run. A number that was given up since is of who
 * had it then, so that nobody gets the calls of somebody else. Settings that are stored and make no sense hold up the calls of that
 * business alone; a database that cannot answer is thrown.
 */
export function createOwners(
  settings: Settings,
): (number: string | null, at: number, signal: AbortSignal) => Promise<Facts['owner']> {
  const known = new Map<string, Facts['owner']>();
  const remembered = async (key: string, find: () => Promise<BusinessSettings | null>): Promise<Facts['owner']> => {
    const owner = known.get(key) ?? (await ownerBy(find));
    if (known.size < MAX_KNOWN) known.set(key, owner);
    return owner;
  };
  let former: readonly FormerNumber[] | undefined;
  return async (number, at, signal) => {
    if (number === null) return 'nobody';
    former ??= await settings.formerNumbers(signal);
    const change = nextChange(former, number, at);
    if (change === null) return remembered(`number ${number}`, () => settings.byPhone(number, signal));
    const then = await remembered(`business ${change.businessId}`, () => settings.byId(change.businessId, signal));
    if (Math.abs(change.until - at) > DOUBT_MS) return then;
    const today = await remembered(`number ${number}`, () => settings.byPhone(number, signal));
    return idOf(today) === change.businessId ? then : 'doubtful';
  };
}

/** Who gave a number up first after a time, or a moment before; null when nobody has. */
function nextChange(former: readonly FormerNumber[], number: string, at: number): FormerNumber | null {
  const changes = former.filter((one) => one.number === number && one.until >= at - DOUBT_MS);
  const [first] = changes.toSorted((one, other) => one.until - other.until);
  return first ?? null;
}

function idOf(owner: Facts['owner']): string | null {
  return typeof owner === 'object' ? owner.id : null;
}

async function ownerBy(find: () => Promise<BusinessSettings | null>): Promise<Facts['owner']> {
  try {
    return (await find()) ?? 'nobody';
  } catch (error) {
    if (error instanceof StoreError) return 'unreadable';
    throw error;
  }
}
