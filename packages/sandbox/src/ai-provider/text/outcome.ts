import type { AiFault } from '../faults.ts';

/** How a model's answer ends. `cut` has the part that was said before. */
export type Outcome =
  | { readonly kind: 'said'; readonly text: string }
  | { readonly kind: 'refused'; readonly refusal: string }
  | { readonly kind: 'cut'; readonly text: string; readonly reason: 'max_output_tokens' | 'content_filter' };

/** The outcome of the right answer under a fault of its content. */
export function outcomeOf(text: string, fault: AiFault | undefined): Outcome {
  switch (fault?.kind) {
    case 'malformed':
      return { kind: 'said', text: `Sure! Here is the JSON you asked for:\n${text.slice(0, -1)}` };
    case 'invalid_schema':
      return { kind: 'said', text: JSON.stringify({ answer: 42 }) };
    case 'truncated':
      return { kind: 'cut', text: text.slice(0, text.length >> 1), reason: 'max_output_tokens' };
    case 'content_filter':
      return { kind: 'cut', text: '', reason: 'content_filter' };
    case 'refusal':
      return { kind: 'refused', refusal: "I'm sorry, but I can't assist with that request." };
    default:
      return { kind: 'said', text };
  }
}

/** Tokens of a text, roughly as many as a real tokenizer counts. */
export function tokensOf(text: string): number {
  return Math.ceil(text.length / 4);
}
