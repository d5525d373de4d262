/** First strong isolate and its end (UAX 9): text between them keeps its own direction and leaves its neighbours theirs. */
const FIRST_STRONG_ISOLATE = '\u2068';
const POP_ISOLATE = '\u2069';

/** Control characters but tab and line feed, and the marks that turn the direction of what follows. */
const UNSAFE = /(?![\t\n])[\p{Cc}\p{Bidi_Control}]/gu;

/**
 * Words of other people for a terminal: nothing in them can move the cursor, turn the direction of the rest of the line or ring
 * a bell. On a terminal each line of them is isolated, so that Hebrew and Latin stand in their order; for a pipe it is left plain.
 */
export function foreignText(text: string, isTerminal: boolean): string {
  const safe = text.replace(/\r\n?/g, '\n').replace(UNSAFE, '');
  if (!isTerminal) return safe;
  return safe
    .split('\n')
    .map((line) => (line === '' ? '' : `${FIRST_STRONG_ISOLATE}${line}${POP_ISOLATE}`))
    .join('\n');
}
