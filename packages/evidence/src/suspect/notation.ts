import { comparableText } from '../comparable.ts';

/** Stand in a stream of words where a sentence begins, and where a question ended. Neither is a word that anybody says. */
const BEGINNING = '¶';
const ASKED = '¿';
const HEBREW_PREFIX = '[ובלמהשכ]{0,2}';
const ARABIC_PREFIX = '(?:[وفبكل]{0,2}(?:ال)?)';
/** A few words of one sentence. */
const GAP = `(?:[^ ${BEGINNING}${ASKED}]+ ){0,6}?`;
/** A few words of this sentence and the next. */
const WIDE_GAP = `(?:[^ ${ASKED}]+ ){0,8}?`;

/** Words with single spaces around them, without punctuation, accents and case. */
export function streamOf(words: string): string {
  return ` ${withoutAccents(words).replaceAll(/[^\p{L}\p{M}\p{N}+*]+/gu, ' ')} `;
}

/** ... in which sentences still begin somewhere. */
export function sentenceStream(words: string): string {
  const marked = withoutAccents(words)
    .replaceAll(/[¶¿]/gu, ' ')
    .replaceAll(/[?؟]/gu, ` ${ASKED} ${BEGINNING} `)
    .replaceAll(/[.!…\n]+(?=\s|$)/gu, ` ${BEGINNING} `);
  return ` ${BEGINNING} ${marked.replaceAll(/[^\p{L}\p{M}\p{N}+*¶¿]+/gu, ' ')} `.replaceAll(/ {2,}/gu, ' ');
}

/**
 * A phrase as the source of a pattern over a stream. `*` is any ending, `~` any few words of the sentence, `~~` also of the next one,
 * `(a|b)` one of several, `(a)?` one that may be missing, `(a)*` up to three of them, `^` the beginning of a sentence. Words of Hebrew
 * and Arabic may have prefixes, but for those behind `=`. A name in `parts`, alone between spaces, stands for its alternatives.
 */
export function patternOf(phrase: string, parts: Readonly<Record<string, string>> = {}): string {
  const whole = phrase.trim().replaceAll(/\b[A-Z]{2,}\b/gu, (name) => `(${parts[name] ?? name})`);
  const tokens = whole.match(/\([^)]*\)[?*]?|\S+/gu) ?? [];
  return tokens.map(tokenPattern).join('');
}

function tokenPattern(token: string): string {
  if (token === '~') return GAP;
  if (token === '~~') return WIDE_GAP;
  if (token === '^') return `${BEGINNING} `;
  const group = /^\((.*)\)([?*]?)$/u.exec(token);
  const alternatives = (group?.[1] ?? token).split('|').map(wordsPattern);
  return `(?:(?:${alternatives.join('|')}) )${group?.[2] === '*' ? '{0,3}' : (group?.[2] ?? '')}`;
}

function wordsPattern(words: string): string {
  return words
    .trim()
    .split(' ')
    .map((word) => {
      if (word === '^') return BEGINNING;
      const form = word
        .replace(/^=/u, '')
        .split('*')
        .map(withoutAccents)
        .join('[^ ]*')
        .replaceAll('+', '\\+')
        .replaceAll('#', '\\d[^ ]*');
      if (word.startsWith('=')) return form;
      const prefix = /^[א-ת]/u.test(form) ? HEBREW_PREFIX : /^\p{Script=Arab}/u.test(form) ? ARABIC_PREFIX : '';
      return `${prefix}${form}`;
    })
    .join(' ');
}

/** People who type orders leave accents away, and so do recognizers. */
function withoutAccents(words: string): string {
  return comparableText(words).replaceAll(/\p{M}+/gu, '');
}
