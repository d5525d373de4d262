import { z } from 'zod';
import { cleanText, isWrittenIn, maskCards, sentencesOf, wordForms } from '@pipeline/evidence';
import { isGrounded, type SpokenWords } from './grounded.ts';
import { shorten } from './shorten.ts';

/** What a summary is held against. */
export type SummaryRules = {
  /** BCP 47. */
  readonly language: string;
  readonly maxSentences: number;
  /** Our own words in the question, and the mark around the transcript. */
  readonly instructions: string;
  readonly boundary: string;
  readonly spoken: SpokenWords;
};

const BAD = ['OUTPUT_WRONG_LANGUAGE', 'OUTPUT_UNGROUNDED', 'OUTPUT_LEAKED', 'PROVIDER_REFUSED'] as const;

/** What becomes of a summary: the words that may be kept, or why none may. */
export const judgementSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('good'), summary: z.string() }),
  z.object({ kind: z.literal('bad'), code: z.enum(BAD) }),
]);
export type Judgement = z.infer<typeof judgementSchema>;

/** So many words in a row are no accident. */
const LEAKED_WORDS = 9;
const REFUSAL =
  /^(?:i['’]?m (?:very )?sorry|i am (?:very )?sorry|sorry|unfortunately|as an ai)[^.]{0,60}\b(?:i|ai)\b[^.]{0,30}\b(?:can(?:no|['’])?t|unable|won['’]t|not able|language model)\b/iu;

/**
 * What becomes of a summary. It must be in the language of the business, say nothing of our own instructions, and be about the call:
 * sentences that speak to a machine, or hold an address or a number that nobody said, are left out. What remains is cut to the length
 * that the business asked for, as plain text with the numbers of payment cards masked.
 */
export function judgeSummary(text: string, rules: SummaryRules): Judgement {
  const cleaned = cleanText(text);
  if (REFUSAL.test(cleaned)) return { kind: 'bad', code: 'PROVIDER_REFUSED' };
  if (isLeaked(cleaned, rules) || text.includes(rules.boundary)) return { kind: 'bad', code: 'OUTPUT_LEAKED' };
  if (!isWrittenIn(cleaned, rules.language)) return { kind: 'bad', code: 'OUTPUT_WRONG_LANGUAGE' };
  const kept = sentencesOf(cleaned).filter((sentence) => !sentence.isBarred && isGrounded(sentence.text, rules.spoken));
  const sentences = kept.map((sentence) => sentence.text.trim()).filter((sentence) => /[\p{L}\p{N}]/u.test(sentence));
  if (sentences.length === 0) return { kind: 'bad', code: 'OUTPUT_UNGROUNDED' };
  return { kind: 'good', summary: maskCards(shorten(sentences, rules.maxSentences)) };
}

function isLeaked(summary: string, { instructions }: SummaryRules): boolean {
  const said = ` ${wordForms(summary).join(' ')} `;
  const ours = wordForms(instructions);
  return ours.some(
    (_word, at) =>
      at + LEAKED_WORDS <= ours.length && said.includes(` ${ours.slice(at, at + LEAKED_WORDS).join(' ')} `),
  );
}
