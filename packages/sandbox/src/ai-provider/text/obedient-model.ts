import { fillSchema } from './fill-schema.ts';
import type { Finding, Question, TextModel } from './text-model.ts';

/** What somebody talked a model into: the summary it writes and the answer it gives for a field. */
export type Orders = { readonly summary: string; find(key: string): Finding | undefined };

/**
 * A model that does whatever a call told it to do: it answers by `orders` and never by the call, and forges the quotes that it is told
 * to forge. For tests of what holds when a model is talked into anything.
 */
export function createObedientModel(orders: (question: Question) => Orders): TextModel {
  return {
    answer: (question) => {
      const { summary, find } = orders(question);
      const knowledge = { dialogueId: null, summary, keys: [], find };
      return {
        dialogueId: null,
        text: question.schema ? JSON.stringify(fillSchema(question.schema, knowledge)) : summary,
      };
    },
  };
}
