import { UsageError } from './verb.ts';

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(\d{1,5})([mhd])$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/;

/**
 * The moment that an option names: how long ago (`30m`, `24h`, `7d`), a day (`2026-11-20`, its first moment in UTC) or an instant
 * with its zone (`2026-11-20T08:00:00Z`). Throws a UsageError that shows the three.
 */
export function parseMoment(option: string, typed: string, now: Date): Date {
  const [, count, unit = ''] = DURATION.exec(typed) ?? [];
  const ms = UNIT_MS[unit];
  if (count !== undefined && ms !== undefined) return new Date(now.getTime() - Number(count) * ms);
  const moment = new Date(typed);
  const isWritten = DAY.test(typed) || INSTANT.test(typed);
  // A day that is not in the calendar (31 February) would become another one.
  const isReal = !Number.isNaN(moment.getTime()) && (!DAY.test(typed) || moment.toISOString().startsWith(typed));
  if (isWritten && isReal) return moment;
  throw new UsageError(
    `${option.startsWith('<') ? option : `--${option}`} takes a duration (24h), a day (2026-11-20) or an instant (2026-11-20T08:00:00Z)`,
  );
}
