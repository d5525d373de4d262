import type { Question } from './question.ts';

/**
 * How a model is held to the form of its answer: `schema` by a strict JSON Schema that the server enforces; `object` by a server that
 * enforces JSON but no schema; `prompt` by words alone, for servers that can do neither. Whatever the way, the answer is checked here.
 */
export const FORM_MODES = ['schema', 'object', 'prompt'] as const;
export type FormMode = (typeof FORM_MODES)[number];

/** The instructions of a question. Where the server does not enforce the schema, they carry it. */
export function instructionsOf(question: Question<unknown>, mode: FormMode): string {
  if (mode === 'schema') return question.instructions;
  return [
    question.instructions,
    'Answer with one JSON object and nothing else: no words before or after it, no code fence. It has this JSON Schema:',
    JSON.stringify(question.schema),
  ].join('\n\n');
}

/**
 * The JSON of an answer, or undefined. Where no server enforces it, models think aloud first (`<think>`) or put it into a fence or
 * a sentence: then it is what stands from the first brace to the last.
 */
export function jsonOf(answer: string, mode: FormMode): unknown {
  const whole = parse(answer);
  if (whole !== undefined || mode === 'schema') return whole;
  const said = answer.replace(/^\s*<think>[\s\S]*?<\/think>/, '');
  const from = said.indexOf('{');
  const to = said.lastIndexOf('}');
  return from < 0 || to < from ? undefined : parse(said.slice(from, to + 1));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
