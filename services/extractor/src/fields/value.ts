import type { FieldDefinition, FieldValue } from '@pipeline/contracts';
import { cleanLine, cleanText, maskCards } from '@pipeline/evidence';
import { readDate, readTime } from './moment.ts';
import { chooseOption } from './option.ts';
import { readEmail, readPhone, type Country } from './address.ts';
import { isNothing } from './words.ts';

/** What a model's value is worth: a value of the field's type, nothing at all, or something else. */
export type Judged =
  | { readonly kind: 'value'; readonly value: Exclude<FieldValue, null> }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'invalid' };

const LONGEST_STRING = 500;
const LONGEST_TEXT = 5_000;
const MAX_ITEMS = 50;
const NOTHING: Judged = { kind: 'nothing' };

/** Reads a model's value as the type of its field. `country` is the one of numbers that are said without it. */
export function readValue(field: FieldDefinition, raw: unknown, country: Country | undefined): Judged {
  if (field.type === 'enum') return readOption(field.options ?? [], raw);
  if (isNothing(raw)) return NOTHING;
  switch (field.type) {
    case 'string':
      return judged(readString(raw, LONGEST_STRING, cleanLine));
    case 'text':
      return judged(readString(raw, LONGEST_TEXT, cleanText));
    case 'integer':
      return judged(readNumber(raw, Number.isSafeInteger));
    case 'number':
      return judged(readNumber(raw, Number.isFinite));
    case 'boolean':
      return judged(readBoolean(raw));
    case 'date':
      return judged(readDate(raw));
    case 'time':
      return judged(readTime(raw));
    case 'phone':
      return judged(readPhone(raw, country));
    case 'email':
      return judged(readEmail(raw));
    case 'list':
      return readList(raw);
    case 'object':
      return readObject(field.properties ?? [], raw);
  }
}

function judged(value: string | number | boolean | undefined): Judged {
  return value === undefined ? { kind: 'invalid' } : { kind: 'value', value };
}

/** Asked for before anything else: `none` or `-` may well be a value that the business lists. */
function readOption(options: NonNullable<FieldDefinition['options']>, raw: unknown): Judged {
  const value = chooseOption(options, raw);
  return value === undefined && isNothing(raw) ? NOTHING : judged(value);
}

function readString(raw: unknown, longest: number, clean: (text: string) => string): string | undefined {
  if (typeof raw !== 'string' || raw.length > longest * 4) return undefined;
  const text = maskCards(clean(raw));
  return text === '' || text.length > longest ? undefined : text;
}

function readNumber(raw: unknown, isAllowed: (value: number) => boolean): number | undefined {
  const isNumeral = typeof raw === 'string' && /^-?\d{1,15}(\.\d{1,15})?$/.test(raw.trim());
  const value = isNumeral ? Number(raw) : raw;
  return typeof value === 'number' && isAllowed(value) ? value : undefined;
}

function readBoolean(raw: unknown): boolean | undefined {
  if (typeof raw === 'boolean') return raw;
  return raw === 'true' ? true : raw === 'false' ? false : undefined;
}

function readList(raw: unknown): Judged {
  if (!Array.isArray(raw) || raw.length > MAX_ITEMS) return { kind: 'invalid' };
  const items = raw.filter((item) => !isNothing(item)).map((item) => readString(item, LONGEST_STRING, cleanLine));
  if (items.length === 0) return NOTHING;
  const texts = items.filter((item) => item !== undefined);
  return texts.length < items.length ? { kind: 'invalid' } : { kind: 'value', value: [...new Set(texts)] };
}

function readObject(properties: NonNullable<FieldDefinition['properties']>, raw: unknown): Judged {
  if (raw === null || typeof raw !== 'object' || Array.isArray(raw)) return { kind: 'invalid' };
  const given = new Map<string, unknown>(Object.entries(raw));
  const read = properties.map(({ key, type }) => {
    const field = { key, type, description: key, required: false, sensitive: false, from: 'both' as const };
    return [key, readValue(field, given.get(key) ?? null, undefined)] as const;
  });
  if (read.some(([, judgement]) => judgement.kind === 'invalid')) return { kind: 'invalid' };
  if (read.every(([, judgement]) => judgement.kind === 'nothing')) return NOTHING;
  const entries = read.map(([key, judgement]) => [key, judgement.kind === 'value' ? judgement.value : null] as const);
  return { kind: 'value', value: Object.fromEntries(entries) };
}
