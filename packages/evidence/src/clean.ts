const [ESC, CSI, BELL] = [0x1b, 0x9b, 0x07].map((code) => String.fromCharCode(code));
/** Escapes of a terminal: colours, titles, cursor moves. */
const ESCAPES = new RegExp(
  [`(?:${ESC}\\[|${CSI})[0-?]*[ -/]*[@-~]`, `${ESC}\\][^${BELL}${ESC}]*(?:${BELL}|${ESC}\\\\)?`, `${ESC}.?`].join('|'),
  'gu',
);
/** Direction marks, zero-width marks, tags and fillers: nobody sees them, and they hide or turn what a text says. */
const INVISIBLE =
  /[\u00ad\u061c\u115f\u1160\u180e\u200b\u200d-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
/** A joiner that Persian and other languages of Arabic script spell with; anywhere else it hides something. */
const LOOSE_JOINER = /(?<!\p{Script=Arab})\u200c|\u200c(?!\p{Script=Arab})/gu;

/** Scripts, styles and comments with their content, then every other tag. */
const HIDDEN_MARKUP = /<(script|style|iframe|object|template)\b[^>]*>[\s\S]*?(?:<\/\1\s*>|$)|<!--[\s\S]*?(?:-->|$)/giu;
const TAGS = /<\/?[a-z!][^<>]{0,2000}>/giu;
const IMAGES = /!\[([^\]]{0,500})\]\([^)]{0,2000}\)/gu;
const LINKS = /\[([^\]]{0,500})\]\([^)]{0,2000}\)/gu;
const FENCES = /```[\w-]*|~~~/gu;
const EMPHASIS = /(?<![\p{L}\p{N}])(\*\*|__)(?=\S)([^\n]{1,500}?)(?<=\S)\1(?![\p{L}\p{N}])/gu;
const HEADING = /^ {0,3}#{1,6} +/gmu;
/** What makes a cell of a spreadsheet a formula. A number may begin with a sign. */
const FORMULA = /^[\s=@]+|^[+-]+(?=\s*[\p{L}(=@])/gmu;

/**
 * Words of a model as plain text: Unicode's composed form, in logical order, LF between lines; without markup, links behind words, escapes
 * of a terminal, invisible marks, or a beginning that a spreadsheet would run. What a reader sees stays.
 */
export function cleanText(text: string): string {
  return text
    .replace(ESCAPES, '')
    .replace(HIDDEN_MARKUP, ' ')
    .replace(TAGS, ' ')
    .replace(IMAGES, '$1')
    .replace(LINKS, '$1')
    .replace(FENCES, ' ')
    .replace(HEADING, '')
    .replace(EMPHASIS, '$2')
    .replace(INVISIBLE, '')
    .replace(LOOSE_JOINER, '')
    .replace(/\r\n?|[\u2028\u2029]/gu, '\n')
    .replace(/[^\P{Cc}\n]+/gu, ' ')
    .replace(/[^\S\n]+/gu, ' ')
    .replace(/ ?\n ?/gu, '\n')
    .replace(FORMULA, '')
    .normalize('NFC')
    .trim();
}

/** The same in one line. */
export function cleanLine(text: string): string {
  return cleanText(text).replace(/\s+/gu, ' ');
}
