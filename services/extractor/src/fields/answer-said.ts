import type { FieldDefinition } from '@pipeline/contracts';
import { isRelatedWord, wordForms } from '@pipeline/evidence';
import { isNegation, isOptionSaid } from './option-said.ts';

/** Words that answer a question and say nothing by themselves: what they are about stands before them. */
const LONGEST_ANSWER_WORDS = 6;
const LEAST_WORD = 3;

type Place = { readonly quote: string; readonly clause: string; readonly passage: string; readonly before: string };

/**
 * Whether words say yes or no to a field. With options, by their words. Without them the words, or for a short answer also what was
 * asked before it, must share a word with the field's key or description; "no" needs a word that denies, "yes" bears none.
 */
export function isAnswerSaid(field: FieldDefinition, value: boolean, place: Place): boolean {
  if (field.options !== undefined) return isOptionSaid(field.options, String(value), place.quote, place.clause);
  const passage = wordForms(place.passage.replace(/^\w+: /u, ''));
  const isShort = passage.length <= LONGEST_ANSWER_WORDS;
  const about = isShort ? [...wordForms(place.before.replace(/^\w+: /u, '')), ...passage] : wordForms(place.clause);
  const topic = wordForms(`${field.key.replaceAll('_', ' ')} ${field.description}`).filter(
    (word) => word.length >= LEAST_WORD && !isAsking(word),
  );
  if (!topic.some((word) => about.some((other) => isRelatedWord(word, other)))) return false;
  const denies = wordForms(isShort ? place.passage : place.clause).some(isNegation);
  return value ? !denies : denies;
}

const ASKING = new Set(
  'the whether does has have had did was were are for with caller customer client call wants want from this that האם הלקוח הלקוחה המתקשר של אם هل المتصل العميل من على هذا ли звонящий клиент это что si el cliente llama que quiere'
    .split(' ')
    .flatMap(wordForms),
);

function isAsking(form: string): boolean {
  return ASKING.has(form);
}
