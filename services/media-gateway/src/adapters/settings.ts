import type { BusinessSettings } from '@pipeline/contracts';
import type { Logger } from '@pipeline/runtime';
import { inTime } from '../in-time.ts';

/** Finds the business of a phone number in E.164; `null` when nobody owns it. Rejected when nothing is known of the number. */
export type SettingsSource = {
  byPhone(phone: string, signal: AbortSignal): Promise<BusinessSettings | null>;
};

/** Numbers whose last good settings are kept. The one that was not asked for the longest is forgotten first. */
const MAX_COPIES = 10_000;

/**
 * Asks the database at every call, so that a change counts from the next call on. The last good answer is kept: while the
 * database is down, calls to known numbers are answered by it.
 */
export function createSettingsSource(reader: SettingsSource, logger: Logger): SettingsSource {
  const copies = new Map<string, BusinessSettings>();
  return {
    byPhone: async (phone, signal) => {
      try {
        signal.throwIfAborted();
        // A driver that hangs may not hear the signal.
        const settings = await inTime(reader.byPhone(phone, signal), signal);
        keep(copies, phone, settings);
        return settings;
      } catch (error) {
        const copy = copies.get(phone);
        if (copy === undefined) throw error;
        logger.warn({ businessId: copy.id, err: error }, 'settings cannot be read, the last good copy is used');
        return copy;
      }
    },
  };
}

function keep(copies: Map<string, BusinessSettings>, phone: string, settings: BusinessSettings | null): void {
  copies.delete(phone);
  if (settings !== null) copies.set(phone, settings);
  for (const oldest of copies.keys()) {
    if (copies.size <= MAX_COPIES) return;
    copies.delete(oldest);
  }
}
