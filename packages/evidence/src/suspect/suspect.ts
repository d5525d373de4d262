import { patternOf, sentenceStream, streamOf } from './notation.ts';
import { ORDER_CHECKS } from './orders/all.ts';
import { PHRASES } from './phrases/all.ts';

/**
 * Marks of machine language that nobody says on the telephone: tags, keys with a colon or with what they equal, fences, a role that
 * begins a sentence and a colon, links together with a scheme, and marks like those around our own texts.
 */
const STRUCTURE = [
  /<\/?\s*[a-z][\w:-]*[^<>]{0,80}>/iu,
  /[{[]\s*["'“”]?[\p{L}_]{2,40}["'“”]?\s*[:=]/u,
  /["'“”][a-z_]{2,40}["'“”]\s*:/iu,
  /(?<![\w@./-])[a-z]{2,}(?:_[a-z0-9]+)+(?:\s*[:=]|\s+(?:equals?|colon)\b)/u,
  /```|~~~|#{3,}|<\||\|>|\[\/?INST\]/u,
  /(?:^|[.;!?\n]\s*)(?:system|assistant|developer|user|מערכת|עוזר|משתמש|النظام|المساعد|المستخدم|система|ассистент|помощник|пользователь|sistema|asistente|usuario)\s*:/iu,
  /\bcall-[0-9a-f]{4,}/iu,
  /\b(?:javascript|data|file):\S/iu,
];

const PATTERNS = PHRASES.map((phrase) => new RegExp(`(?<= )${patternOf(phrase)}`, 'u'));

/**
 * Whether words speak to a machine that will read the call instead of about the call. Known phrases and orders of English, Hebrew,
 * Arabic, Russian and Spanish, and in any language the marks of machine language. What callers say to people must not be suspect; what
 * that lets pass, and what still is, stands in docs/decisions/0018.
 */
export function isSuspect(words: string): boolean {
  if (STRUCTURE.some((mark) => mark.test(words))) return true;
  const stream = streamOf(words);
  if (PATTERNS.some((pattern) => pattern.test(stream))) return true;
  const sentences = sentenceStream(words);
  return ORDER_CHECKS.some((isOrder) => isOrder(sentences));
}
