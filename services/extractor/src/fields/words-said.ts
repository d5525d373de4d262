import { comparableText, isInflectedWord, isRelatedWord, numbersIn, wordForms } from '@pipeline/evidence';
import { isPartOf } from './places.ts';

/** Articles and prepositions: they may come and go, as long as anything else is there. */
const SHORT = 2;
const SMALL_WORDS = new Set([
  'the',
  'and',
  'for',
  'של',
  'את',
  'עם',
  'في',
  'من',
  'и',
  'для',
  'los',
  'las',
  'del',
  'con',
]);
/** Of a longer text, which sums up, so many of its words must be there. */
const LEAST_SHARE = 0.6;

/** Whether words say a short text: each of its words, but for prefixes and endings, and each of its numbers. */
export function areWordsSaid(text: string, words: string): boolean {
  const said = wordForms(words);
  if (wordForms(text).length === 0 || !areNumbersSaid(text, words)) return false;
  if (isPartOf(text, words)) return true;
  return neededWords(text).every((word) => said.some((other) => isInflectedWord(word, other)));
}

/** The words of a short text that must be there, whatever else is: none where it is a number alone. */
export function neededWords(text: string): string[] {
  const wanted = wordForms(text);
  const content = wanted.filter((word) => !isSmall(word) && !/\p{N}/u.test(word));
  return content.length > 0 || wanted.some((word) => /\p{N}/u.test(word)) ? content : wanted;
}

/** Whether the words of a source say most of a longer text, and `quote` something of it. Its numbers must all be there. */
export function isTextSaid(text: string, quote: string, source: string): boolean {
  const content = wordForms(text).filter((word) => !isSmall(word));
  const said = [...new Set(wordForms(source))];
  const quoted = wordForms(quote);
  if (content.length === 0 || !areNumbersSaid(text, source)) return false;
  const share = content.filter((word) => said.some((other) => isRelatedWord(word, other))).length / content.length;
  return share >= LEAST_SHARE && content.some((word) => quoted.some((other) => isRelatedWord(word, other)));
}

/** Whether words say every number and every address of a text. */
function areNumbersSaid(text: string, words: string): boolean {
  const said = new Set(numbersIn(words).flatMap(({ values }) => values));
  const addresses = comparableText(text).match(/\S+@\S+|https?:\S+|www\.\S+|\S+\.(?:com|org|net|io|co)\b\S*/giu) ?? [];
  const spoken = comparableText(words);
  return (
    numbersIn(text).every(({ values }) => values.some((value) => said.has(value))) &&
    addresses.every((address) => spoken.includes(address))
  );
}

function isSmall(word: string): boolean {
  return word.length <= SHORT || SMALL_WORDS.has(word);
}
