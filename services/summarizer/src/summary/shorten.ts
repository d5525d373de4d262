/** Far more than a sentence has; beyond it a summary is no summary. */
const LONGEST_SENTENCE_CHARS = 800;

/** The first sentences of a summary, at most so many; one that does not end is cut between words. */
export function shorten(sentences: readonly string[], maxSentences: number): string {
  const text = sentences.slice(0, maxSentences).join(' ');
  const longest = maxSentences * LONGEST_SENTENCE_CHARS;
  if (text.length <= longest) return text;
  const cut = text.slice(0, longest);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), longest - 100)).trimEnd()}…`;
}
