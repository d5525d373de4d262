/** What models write where they have nothing to say. */
const NOTHINGS = new Set(['', 'null', 'none', 'n/a', 'na', 'undefined', 'unknown', '-', '?']);

/** True when a model's value says that there is none. */
export function isNothing(raw: unknown): boolean {
  if (raw === null || raw === undefined) return true;
  return typeof raw === 'string' && NOTHINGS.has(cleanLine(raw).toLowerCase());
}

/** One line in Unicode's composed form, without control characters. */
export function cleanLine(text: string): string {
  return text
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
}

/** The same, but lines stay lines. */
export function cleanText(text: string): string {
  const lines = text.split(/\r\n?|[\n\u2028\u2029]/u).map(cleanLine);
  return lines.join('\n').trim();
}
