import type { FieldDefinition } from '@pipeline/contracts';
import { comparableText } from '@pipeline/evidence';

/** The canonical value of an enum that a model named, by itself or by a synonym, in whatever spelling. */
export function chooseOption(options: NonNullable<FieldDefinition['options']>, raw: unknown): string | undefined {
  if (typeof raw !== 'string') return undefined;
  const said = comparableText(raw);
  const byValue =
    options.find(({ value }) => value === raw) ?? options.find(({ value }) => comparableText(value) === said);
  const option = byValue ?? options.find(({ synonyms = [] }) => synonyms.some((word) => comparableText(word) === said));
  return option?.value;
}
