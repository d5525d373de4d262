import type { Dialogue, KeywordRule, KeywordRules } from '../../dialogues/dialogue.ts';
import { fillSchema } from './fill-schema.ts';
import type { JsonSchema } from './json-schema.ts';

/** What a model is asked: its instructions, what the user says, and the shape of the answer if one is asked for. */
export type Question = {
  readonly instructions: string;
  readonly prompt: string;
  readonly schema: JsonSchema | undefined;
};

/** What a text says of a field, and in which words. */
export type Finding = { readonly value: unknown; readonly quote: string };

/** What the sandbox's model knows when it answers. */
export type Knowledge = {
  readonly dialogueId: string | null;
  readonly summary: string;
  /** Keys of all fields that the dialogue has answers for. */
  readonly keys: readonly string[];
  find(key: string): Finding | undefined;
};

export type TextModel = {
  /** The text of the answer: JSON of the asked shape, or plain words. */
  answer(question: Question): { readonly dialogueId: string | null; readonly text: string };
};

/**
 * The sandbox's text model. It finds the dialogue whose turns, or whose summary, occur in the question and answers from that
 * dialogue's `answers`; what those do not know comes from the keyword rules, and what no rule knows is not mentioned.
 */
export function createTextModel(dialogues: readonly Dialogue[], rules: KeywordRules): TextModel {
  const known = dialogues.map((dialogue) => ({
    dialogue,
    // What was cut short is in no transcript as it was to be said.
    turns: dialogue.turns
      .filter((_turn, at) => dialogue.turns[at + 1]?.interruptsAfterMs === undefined)
      .map((turn) => bare(turn.text)),
    summary: bare(dialogue.answers.summary ?? ''),
    length: dialogue.turns.reduce((sum, turn) => sum + turn.text.length, 0),
  }));
  return {
    answer: (question) => {
      const asked = bare(`${question.instructions}\n${question.prompt}`);
      const matches = known.filter(
        ({ turns, summary }) => occursInOrder(turns, asked) || (summary !== '' && asked.includes(summary)),
      );
      // A call that ended after the greeting occurs in every call that went on.
      const [match] = matches.toSorted((one, other) => other.length - one.length);
      const knowledge = match ? knowledgeOf(match.dialogue, rules) : knowledgeOfText(question.prompt, rules);
      const text = question.schema ? JSON.stringify(fillSchema(question.schema, knowledge)) : knowledge.summary;
      return { dialogueId: knowledge.dialogueId, text };
    },
  };
}

const MAX_SUMMARY = 400;

function knowledgeOf(dialogue: Dialogue, rules: KeywordRules): Knowledge {
  const { summary, fields } = dialogue.answers;
  const sources = [summary ?? '', ...dialogue.turns.map((turn) => turn.text)];
  const { [dialogue.language]: own = [], ...others } = rules;
  const ordered = [...own, ...Object.values(others).flat()];
  return {
    dialogueId: dialogue.id,
    summary: summary ?? '',
    keys: Object.keys(fields),
    find: (key) => (Object.hasOwn(fields, key) ? fields[key] : findByRules(key, sources, ordered)),
  };
}

function knowledgeOfText(prompt: string, rules: KeywordRules): Knowledge {
  const ordered = Object.values(rules).flat();
  return {
    dialogueId: null,
    summary: retell(prompt),
    keys: [...new Set(ordered.map((rule) => rule.field))].filter((key) => findByRules(key, [prompt], ordered)),
    find: (key) => findByRules(key, [prompt], ordered),
  };
}

function findByRules(key: string, sources: readonly string[], rules: readonly KeywordRule[]): Finding | undefined {
  for (const source of sources) {
    for (const rule of rules.filter(({ field }) => field === key)) {
      for (const word of rule.words) {
        const at = source.toLowerCase().indexOf(word.toLowerCase());
        if (at >= 0) return { value: rule.value, quote: source.slice(at, at + word.length) };
      }
    }
  }
  return undefined;
}

/** A summary of a call that is no dialogue: what the caller said, in the caller's words. */
function retell(prompt: string): string {
  const lines = prompt.split('\n').map((line) => line.trim());
  const ofCaller = lines
    .filter((line) => line.startsWith('caller:'))
    .map((line) => line.slice('caller:'.length).trim());
  const told = ofCaller.length > 0 ? ofCaller : lines.filter((line) => line !== '');
  return told.join(' ').slice(0, MAX_SUMMARY).trim();
}

function occursInOrder(turns: readonly string[], text: string): boolean {
  if (turns.length === 0) return false;
  let from = 0;
  for (const turn of turns) {
    const at = text.indexOf(turn, from);
    if (at < 0) return false;
    from = at + turn.length;
  }
  return true;
}

/** A text without what quoting and display add to it: escapes, quotation marks, direction marks, the kind of white space. */
function bare(text: string): string {
  return text
    .normalize('NFC')
    .replaceAll(/\\n/g, ' ')
    .replaceAll(/[\\"\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
