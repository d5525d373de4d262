import { comparableText } from '../comparable.ts';
import { PHRASES } from './phrases/all.ts';

/**
 * Marks of machine language that nobody says on the telephone: tags, keys with a colon, names in snake case, fences, a role before a
 * colon, links together with a scheme, and marks like those around our own texts.
 */
const STRUCTURE = [
  /<\/?\s*[a-z][\w:-]*[^<>]{0,80}>/iu,
  /[{[]\s*["'“”]?[\p{L}_]{2,40}["'“”]?\s*[:=]/u,
  /["'“”][a-z_]{2,40}["'“”]\s*:/iu,
  /(?<![\w@./-])[a-z]{2,}(?:_[a-z0-9]+)+(?![\w@])/u,
  /```|~~~|#{3,}|<\||\|>|\[\/?INST\]/u,
  /(?:^|[\s.,;])(?:system|assistant|developer|user|מערכת|עוזר|משתמש|النظام|المساعد|المستخدم|система|ассистент|помощник|пользователь|sistema|asistente|usuario)\s*:/iu,
  /\bcall-[0-9a-f]{4,}/iu,
  /\b(?:javascript|data|file):\S/iu,
];

const HEBREW_PREFIX = '[ובלמהשכ]{0,2}';
const ARABIC_PREFIX = '(?:[وفبكل]{0,2}(?:ال)?)';
const GAP = '(?:\\S+ ){0,6}?';

const PATTERNS = PHRASES.map(compile);

/**
 * Whether words speak to a machine that will read the call instead of about the call. Known phrases of English, Hebrew, Arabic, Russian
 * and Spanish, and in any language the marks of machine language. A list is never complete: see docs/decisions.
 */
export function isSuspect(words: string): boolean {
  if (STRUCTURE.some((mark) => mark.test(words))) return true;
  const stream = ` ${withoutAccents(words).replaceAll(/[^\p{L}\p{M}\p{N}+*]+/gu, ' ')} `;
  return PATTERNS.some((pattern) => pattern.test(stream));
}

/** A phrase in the notation of `phrases/all.ts` as a pattern over words with single spaces around them. */
function compile(phrase: string): RegExp {
  const tokens = phrase.trim().match(/\([^)]*\)[?*]?|\S+/gu) ?? [];
  return new RegExp(`(?<= )${tokens.map(compileToken).join('')}`, 'u');
}

function compileToken(token: string): string {
  if (token === '~') return GAP;
  const group = /^\((.*)\)([?*]?)$/u.exec(token);
  const alternatives = (group?.[1] ?? token).split('|').map(compileWords);
  return `(?:(?:${alternatives.join('|')}) )${group?.[2] === '*' ? '{0,3}' : (group?.[2] ?? '')}`;
}

function compileWords(words: string): string {
  return words
    .trim()
    .split(' ')
    .map((word) => {
      const form = word.split('*').map(withoutAccents).join('\\S*').replaceAll('+', '\\+').replaceAll('#', '\\d\\S*');
      const prefix = /^[א-ת]/u.test(form) ? HEBREW_PREFIX : /^\p{Script=Arab}/u.test(form) ? ARABIC_PREFIX : '';
      return `${prefix}${form}`;
    })
    .join(' ');
}

/** People who type orders leave accents away, and so do recognizers. */
function withoutAccents(words: string): string {
  return comparableText(words).replaceAll(/\p{M}+/gu, '');
}
