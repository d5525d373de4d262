import type { FieldDefinition } from '@pipeline/contracts';
import { comparable } from './comparable.ts';

/** The canonical value of an enum that a model named, by itself or by a synonym, in whatever spelling. */
export function chooseOption(options: NonNullable<FieldDefinition['options']>, raw: unknown): string | undefined {
  if (typeof raw !== 'string') return undefined;
  const said = comparable(raw).text;
  const byValue =
    options.find(({ value }) => value === raw) ?? options.find(({ value }) => comparable(value).text === said);
  const option =
    byValue ?? options.find(({ synonyms = [] }) => synonyms.some((word) => comparable(word).text === said));
  return option?.value;
}
