/** Calls are about now: a year outside of this is a mistake. */
const FIRST_YEAR = 1900;
const LAST_YEAR = 2199;

/** A day that exists, as `YYYY-MM-DD`. */
export function readDate(raw: unknown): string | undefined {
  const match = typeof raw === 'string' ? /^(\d{4})-(\d{2})-(\d{2})$/.exec(raw.trim()) : null;
  if (match === null) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const date = new Date(Date.UTC(year, month - 1, day));
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return exists && year >= FIRST_YEAR && year <= LAST_YEAR ? match[0] : undefined;
}

/** A time of day in 24 hours, as `HH:MM`; seconds are dropped. */
export function readTime(raw: unknown): string | undefined {
  const match = typeof raw === 'string' ? /^([01]?\d|2[0-3]):([0-5]\d)(:[0-5]\d)?$/.exec(raw.trim()) : null;
  return match === null ? undefined : `${match[1]?.padStart(2, '0')}:${match[2]}`;
}

/** The day on which a call began where the business is, as `YYYY-MM-DD`. */
export function dayOf(instant: string, timeZone: string): string {
  // Swedish writes a day as ISO 8601 does.
  return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' }).format(new Date(instant));
}
