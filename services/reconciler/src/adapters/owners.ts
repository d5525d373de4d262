import { StoreError } from '@pipeline/call-store/settings';
import type { BusinessSettings } from '@pipeline/contracts';
import type { Facts } from '../verdict.ts';

type FindByPhone = (e164: string, signal: AbortSignal) => Promise<BusinessSettings | null>;

/** Numbers that one run remembers; beyond that each is asked for again. */
const MAX_KNOWN = 10_000;

/**
 * Whose number it is, asked once a run for each number. Settings that are stored and make no sense hold up the calls of that
 * business alone; a database that cannot answer is thrown.
 */
export function createOwners(byPhone: FindByPhone): (n: string | null, signal: AbortSignal) => Promise<Facts['owner']> {
  const known = new Map<string, Facts['owner']>();
  return async (number, signal) => {
    if (number === null) return 'nobody';
    const owner = known.get(number) ?? (await find(byPhone, number, signal));
    if (known.size < MAX_KNOWN) known.set(number, owner);
    return owner;
  };
}

async function find(byPhone: FindByPhone, number: string, signal: AbortSignal): Promise<Facts['owner']> {
  try {
    return (await byPhone(number, signal)) ?? 'nobody';
  } catch (error) {
    if (error instanceof StoreError) return 'unreadable';
    throw error;
  }
}
