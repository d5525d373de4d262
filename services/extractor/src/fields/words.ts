import { cleanLine } from '@pipeline/evidence';

/** What models write where they have nothing to say. */
const NOTHINGS = new Set(['', 'null', 'none', 'n/a', 'na', 'undefined', 'unknown', '-', '?']);

/** True when a model's value says that there is none. */
export function isNothing(raw: unknown): boolean {
  if (raw === null || raw === undefined) return true;
  return typeof raw === 'string' && NOTHINGS.has(cleanLine(raw).toLowerCase());
}
