import type { FieldDefinition, FieldValue } from '@pipeline/contracts';
import { isAddressSaid, isDateSaid, isSuspect, isTimeSaid, numbersIn, withoutDenied } from '@pipeline/evidence';
import { isAnswerSaid } from './answer-said.ts';
import type { Lines } from './lines.ts';
import { isOptionSaid } from './option-said.ts';
import { isPhoneSaid } from './phone-said.ts';
import { areWordsSaid, isTextSaid } from './words-said.ts';

/** The words behind a value: the quote, what stands around it, and all that the source says of the call. */
export type Words = {
  readonly quote: string;
  readonly passage: string;
  readonly before: string;
  /** What values may be taken from. */
  readonly lines: Lines;
  /** `YYYY-MM-DD`, the day of the call where the business is. */
  readonly today: string;
};

/**
 * Whether words say a value. A quote that stands in the call proves nothing by itself: a model may quote one thing and claim another. So
 * numbers, dates, times and addresses must follow from the quoted words, an option must be named in them, and of a text the words
 * themselves must be there. Items of a list and properties of an object may also stand elsewhere, each in one line or sentence. Words
 * that are denied where they stand ("not in Haifa") say nothing; yes, no and options look for what denies them by themselves.
 */
export function isBorneOut(field: FieldDefinition, value: FieldValue, words: Words): boolean {
  const { quote, lines, today } = words;
  const isSaid = (says: (words: string) => boolean): boolean => undenied(words).some(says);
  switch (field.type) {
    case 'string':
      return typeof value === 'string' && undenied(words, value).some((said) => areWordsSaid(value, said));
    case 'text':
      return typeof value === 'string' && !isSuspect(value) && isTextSaid(value, quote, lines.texts.join('\n'));
    case 'integer':
    case 'number':
      return isSaid((said) => isNumberSaid(value, said));
    case 'boolean':
      return typeof value === 'boolean' && isAnswerSaid(field, value, { ...words, clause: clauseOf(words) });
    case 'enum':
      return typeof value === 'string' && isOptionSaid(field.options ?? [], value, quote, clauseOf(words));
    case 'date':
      return typeof value === 'string' && isSaid((said) => isDateSaid(value, said, today));
    case 'time':
      return typeof value === 'string' && isSaid((said) => isTimeSaid(value, said));
    case 'phone':
      return typeof value === 'string' && isSaid((said) => isPhoneSaid(value, said));
    case 'email':
      return typeof value === 'string' && isSaid((said) => isAddressSaid(value, said));
    case 'list':
      return Array.isArray(value) && value.every((item) => isPartSaid(item, field, words));
    case 'object':
      return (
        areProperties(value) &&
        Object.entries(value).every(([key, part]) => isPartSaid(part, partOf(field, key), words))
      );
  }
}

/** The quote wherever it stands in its passage, without what is denied there. */
function undenied({ quote, passage }: Words, value?: string): string[] {
  const rest = withoutDenied(passage, value);
  const found: string[] = [];
  if (quote === '') return found;
  for (let at = passage.indexOf(quote); at !== -1; at = passage.indexOf(quote, at + 1)) {
    found.push(rest.slice(at, at + quote.length));
  }
  return found.length > 0 ? found : [withoutDenied(quote, value)];
}

function isNumberSaid(value: FieldValue, words: string): boolean {
  return numbersIn(words).some(({ values }) => values.some((said) => said === value));
}

/** Nothing needs no words. The lines are asked first: their answer costs nothing, whereas a quote is searched for what it denies. */
function isPartSaid(part: FieldValue, field: FieldDefinition, words: Words): boolean {
  if (part === null) return true;
  if (typeof part === 'number') {
    return words.lines.sayNumber(part) || undenied(words).some((place) => isNumberSaid(part, place));
  }
  if (typeof part === 'string') {
    return words.lines.say(part) || undenied(words, part).some((place) => areWordsSaid(part, place));
  }
  return typeof part === 'boolean' && isAnswerSaid(field, part, { ...words, clause: clauseOf(words) });
}

function partOf(field: FieldDefinition, key: string): FieldDefinition {
  const description = field.properties?.find((property) => property.key === key)?.description ?? field.description;
  return { ...field, key, type: 'boolean', description };
}

function areProperties(value: FieldValue): value is Record<string, FieldValue> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** The part of a passage between punctuation that holds the quote. */
function clauseOf({ quote, passage }: Words): string {
  const at = passage.indexOf(quote);
  if (at === -1) return quote;
  const before =
    passage
      .slice(0, at)
      .split(/[,.;:!?،؛؟\n]/u)
      .at(-1) ?? '';
  const after = passage.slice(at + quote.length).split(/[,.;:!?،؛؟\n]/u)[0] ?? '';
  return before + quote + after;
}
