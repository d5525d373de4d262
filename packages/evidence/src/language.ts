import { wordForms } from './words.ts';

/** Scripts that stand for several of Unicode's. */
const SCRIPTS: Readonly<Record<string, readonly string[]>> = {
  Jpan: ['Hani', 'Hira', 'Kana'],
  Kore: ['Hang', 'Hani'],
  Hans: ['Hani'],
  Hant: ['Hani'],
};
/** The least part of the letters: names of people and products are often written in another script. */
const LEAST_SHARE = 0.35;

/** Small words that are frequent in one language of Latin or Cyrillic script and rare in the others. */
const SMALL_WORDS: Readonly<Record<string, readonly string[]>> = {
  en: [
    'the',
    'and',
    'is',
    'to',
    'of',
    'for',
    'with',
    'wants',
    'she',
    'he',
    'was',
    'that',
    'has',
    'they',
    'will',
    'asks',
    'needs',
    'at',
    'by',
  ],
  es: [
    'el',
    'la',
    'los',
    'las',
    'del',
    'que',
    'y',
    'por',
    'para',
    'con',
    'una',
    'quiere',
    'está',
    'se',
    'necesita',
    'su',
    'llama',
  ],
  fr: [
    'le',
    'les',
    'des',
    'du',
    'et',
    'est',
    'une',
    'pour',
    'avec',
    'dans',
    'elle',
    'il',
    'qui',
    'au',
    'souhaite',
    'son',
  ],
  de: [
    'der',
    'die',
    'das',
    'und',
    'ist',
    'ein',
    'eine',
    'für',
    'mit',
    'sie',
    'er',
    'möchte',
    'nicht',
    'dem',
    'zu',
    'den',
    'sich',
  ],
  pt: [
    'o',
    'os',
    'as',
    'do',
    'da',
    'que',
    'e',
    'uma',
    'um',
    'para',
    'com',
    'não',
    'ele',
    'ela',
    'quer',
    'em',
    'precisa',
  ],
  it: ['il', 'lo', 'gli', 'della', 'che', 'e', 'una', 'per', 'con', 'è', 'non', 'vuole', 'di', 'nel', 'sua', 'chiede'],
  ru: ['и', 'на', 'не', 'что', 'он', 'она', 'для', 'по', 'с', 'хочет', 'это', 'просит', 'клиент', 'нужно'],
  uk: ['і', 'та', 'на', 'не', 'що', 'він', 'вона', 'для', 'з', 'хоче', 'це', 'просить', 'клієнт', 'потрібно'],
};
/** So many small words of another language, and so many times those of the own one, are no accident. */
const LEAST_WORDS = 4;
const LEAST_TIMES = 2;

/**
 * Whether a text is written in a language, by its script and, where several languages share one, by its small words. True where neither
 * can tell, as for a text without letters or a language that nobody knows.
 */
export function isWrittenIn(text: string, language: string): boolean {
  const script = scriptOf(language);
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  if (script === undefined || letters === 0) return true;
  if ((text.match(script)?.length ?? 0) < LEAST_SHARE * letters) return false;
  const [base = language] = language.split('-');
  const counts = countSmallWords(text);
  const own = counts.get(base);
  if (own === undefined) return true;
  return ![...counts.values()].some((count) => count >= LEAST_WORDS && count > own * LEAST_TIMES);
}

function scriptOf(language: string): RegExp | undefined {
  const [base = language] = language.split('-');
  try {
    const script = new Intl.Locale(base).maximize().script;
    if (script === undefined) return undefined;
    return new RegExp(`[${(SCRIPTS[script] ?? [script]).map((name) => `\\p{Script=${name}}`).join('')}]`, 'gu');
  } catch {
    return undefined; // A code that is no language, or a script that Unicode has no name for.
  }
}

function countSmallWords(text: string): ReadonlyMap<string, number> {
  const words = wordForms(text);
  const counts = Object.entries(SMALL_WORDS).map(([language, small]): [string, number] => {
    const forms = new Set(small.flatMap(wordForms));
    return [language, words.filter((word) => forms.has(word)).length];
  });
  return new Map(counts);
}
