import type { FieldDefinition, FieldResult } from '@pipeline/contracts';
import { comparable, type Comparable } from './comparable.ts';

/** A text that values may be quoted from. Made once for all fields of a call. */
export type Source = {
  readonly name: 'summary' | 'transcript';
  readonly original: string;
  readonly searched: Comparable;
};
export type Evidence = NonNullable<FieldResult['evidence']>;

const LONGEST_QUOTE_CHARS = 2_000;

/** The texts of a call, ready to be searched. */
export function sourcesOf(call: { readonly summary: string; readonly transcript: string }): Source[] {
  return (['summary', 'transcript'] as const).map((name) => ({
    name,
    original: call[name],
    searched: comparable(call[name]),
  }));
}

/**
 * Where a quote stands in a text that this field may be quoted from, in the words of that text; `null` when it is not there, or
 * says nothing. A number counts only as a whole: `5` is not in `15`.
 */
export function findEvidence(
  quote: string,
  from: FieldDefinition['from'],
  sources: readonly Source[],
): Evidence | null {
  const wanted = comparable(quote).text;
  if (!/[\p{L}\p{N}]/u.test(wanted)) return null;
  for (const { name, original, searched } of sources) {
    if (from !== 'both' && from !== name) continue;
    const at = placeOf(wanted, searched.text);
    if (at === -1) continue;
    const start = searched.starts[at] ?? 0;
    const end = searched.ends[at + wanted.length - 1] ?? original.length;
    return { quote: original.slice(start, Math.min(end, start + LONGEST_QUOTE_CHARS)), source: name, start };
  }
  return null;
}

function placeOf(wanted: string, text: string): number {
  let at = text.indexOf(wanted);
  while (at !== -1 && (cutsNumber(text, at) || cutsNumber(text, at + wanted.length))) at = text.indexOf(wanted, at + 1);
  return at;
}

/** True when the place between two characters is inside a number such as `15`, `1.5` or `1,500`. */
function cutsNumber(text: string, at: number): boolean {
  return /\p{Nd}[.,]?$/u.test(text.slice(Math.max(0, at - 2), at)) && /^[.,]?\p{Nd}/u.test(text.slice(at, at + 2));
}
