import { comparableText } from './comparable.ts';

const AT = /\s+(?:at|שטרודל|שטרודול|כרוכית|آت|ات|собака|собачка|arroba)\s+/gu;
const DOT = /\s+(?:dot|point|נקודה|דוט|نقطه|دوت|точка|punto)\s+/gu;
const DASH = /\s+(?:dash|hyphen|minus|מקפ|شرطه|дефис|тире|guion)\s+/gu;
const UNDERSCORE = /\s+(?:underscore|קו תחתונ|شرطه سفليه|нижнее подчеркивание|guion bajo)\s+/gu;

/** Whether words say an e-mail address or the address of a site, as it is written or as it is spelled ("dana dot levi at ..."). */
export function isAddressSaid(address: string, words: string): boolean {
  const wanted = address.toLowerCase();
  if (hasWhole(words.toLowerCase(), wanted)) return true;
  const spelled = comparableText(words)
    .replaceAll(UNDERSCORE, '_')
    .replaceAll(AT, '@')
    .replaceAll(DOT, '.')
    .replaceAll(DASH, '-');
  if (hasWhole(spelled, wanted)) return true;
  const parts = spelled.split(' ');
  return parts.some((_first, at) => isWholeAt(parts.slice(at, at + LONGEST_SPELLING).join(''), wanted, 0));
}

/** A word for each letter of the longest address that somebody spells. */
const LONGEST_SPELLING = 80;

/** An address that is no part of a longer one. */
function hasWhole(text: string, wanted: string): boolean {
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + 1)) {
    if (!/[\w.+-]$/u.test(text.slice(Math.max(0, at - 1), at)) && isWholeAt(text, wanted, at)) return true;
  }
  return false;
}

function isWholeAt(text: string, wanted: string, at: number): boolean {
  return (
    text.startsWith(wanted, at) && !/^(?:[\w-]|\.\w|@)/u.test(text.slice(at + wanted.length, at + wanted.length + 2))
  );
}
