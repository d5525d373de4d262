/**
 * A text as bare letters and digits, for comparison in any language: without case, spaces, punctuation, marks that direct writing, and
 * marks on letters (niqqud, harakat, accents).
 */
export function lettersOf(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');
}

/** Length of the pieces by which texts are compared: unrelated texts of one language share few of them. */
const PIECE_LETTERS = 4;

/** Every run of four letters, overlapping. A text of fewer letters has none. */
export function piecesOf(letters: string): string[] {
  const pieces: string[] = [];
  for (let at = 0; at + PIECE_LETTERS <= letters.length; at += 1) pieces.push(letters.slice(at, at + PIECE_LETTERS));
  return pieces;
}
