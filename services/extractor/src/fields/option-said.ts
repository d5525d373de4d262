import type { FieldDefinition } from '@pipeline/contracts';
import { isRelatedWord, wordForms } from '@pipeline/evidence';

type Options = NonNullable<FieldDefinition['options']>;
type Span = { readonly value: string; readonly from: number; readonly to: number };

/**
 * Whether words say an option, by its value or a synonym. `clause` is what stands around them: in "not urgent" nobody says "urgent", be
 * it that "not urgent" is a synonym of another option or that the word before says no.
 */
export function isOptionSaid(options: Options, value: string, words: string, clause: string): boolean {
  const quoted = spansOf(options, wordForms(words));
  const around = wordForms(clause);
  const all = spansOf(options, around);
  const standing = all.filter((span) => !all.some((other) => other.value !== span.value && holds(other, span)));
  const isDenied = ({ from }: Span): boolean => around.slice(Math.max(0, from - 2), from).some(isNegation);
  return (
    quoted.some((span) => span.value === value) && standing.some((span) => span.value === value && !isDenied(span))
  );
}

const NEGATIONS = new Set(
  [
    'not',
    'no',
    'never',
    'without',
    "isn't",
    "don't",
    "doesn't",
    "didn't",
    "wasn't",
    "haven't",
    "hasn't",
    'none',
    'isnt',
    'dont',
  ]
    .concat(['לא', 'אינ', 'אינו', 'אינה', 'בלי', 'ללא', 'אפ', 'טרמ'])
    .concat(['لا', 'ليس', 'ليست', 'لم', 'لن', 'غير', 'بدون', 'مش', 'ما', 'مو'])
    .concat(['не', 'нет', 'без', 'ни', 'никогда'])
    .concat(['no', 'nunca', 'sin', 'ni', 'jamás'])
    .flatMap(wordForms),
);

/** Whether a word denies what follows it, in English, Hebrew, Arabic, Russian or Spanish. */
export function isNegation(form: string): boolean {
  return NEGATIONS.has(form);
}

function spansOf(options: Options, words: readonly string[]): Span[] {
  return options.flatMap(({ value, synonyms = [] }) =>
    [...(isYesOrNo(value) ? [] : [value.replaceAll('_', ' ')]), ...synonyms].flatMap((phrase) =>
      placesOf(wordForms(phrase), words).map(([from, to]) => ({ value, from, to })),
    ),
  );
}

/** `true` is a value of ours, and no word by which anybody says yes. */
function isYesOrNo(value: string): boolean {
  return value === 'true' || value === 'false';
}

function placesOf(phrase: readonly string[], words: readonly string[]): [from: number, to: number][] {
  if (phrase.length === 0) return [];
  return words.flatMap((_word, at): [number, number][] => {
    const isThere = phrase.every((form, offset) => isRelatedWord(form, words[at + offset] ?? ''));
    return isThere ? [[at, at + phrase.length]] : [];
  });
}

function holds(outer: Span, inner: Span): boolean {
  return outer.from <= inner.from && outer.to >= inner.to && outer.to - outer.from > inner.to - inner.from;
}
