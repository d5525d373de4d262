import { describe, expect, it } from 'vitest';
import { loadDialogues } from '../../dialogues/load.ts';
import { createAgentLines } from './agent-lines.ts';

const dialogues = await loadDialogues();
const dialogue = dialogues.find(({ id }) => id === 'en-plumbing')!;
const [greeting, first, second, third] = dialogue.turns.map((turn) => turn.text);
const lastOfCaller = dialogue.turns.at(-2)!.text;

describe('the lines of the agent', () => {
  it('end the call after the last one only in a dialogue in which the agent hangs up', () => {
    for (const ending of ['agent_hangs_up', 'caller_hangs_up'] as const) {
      const lines = createAgentLines([{ ...dialogue, ending }]);
      lines.hear(lastOfCaller);
      expect(lines.next()).toEqual({ text: dialogue.turns.at(-1)?.text, isLast: ending === 'agent_hangs_up' });
      expect(lines.next()).toEqual({ text: null, isLast: false });
    }
  });

  it('skip the turn that the caller did not wait for', () => {
    const lines = createAgentLines(dialogues);
    lines.hear(first!);
    lines.hear(third!);
    expect(lines.next().text).toBe(dialogue.turns[4]?.text);
    expect(lines.dialogueId).toBe(dialogue.id);
  });

  it('stay in the dialogue when two have the same words', () => {
    const other = {
      ...dialogue,
      id: 'other',
      turns: dialogue.turns.map((turn, at) => (at === 4 ? { ...turn, text: 'other' } : turn)),
    };
    const changed = {
      ...other,
      turns: other.turns.map((turn, at) => (at === 1 ? { ...turn, text: 'another start' } : turn)),
    };
    const lines = createAgentLines([dialogue, changed]);
    lines.hear('another start');
    lines.next();
    lines.hear(third!);
    expect(lines.next().text).toBe('other');
  });

  it('are not lost when an earlier session already said them', () => {
    const lines = createAgentLines(dialogues);
    lines.recall(greeting!);
    lines.hear(first!);
    lines.recall(second!);
    expect(lines.next()).toEqual({ text: null, isLast: false });
    lines.hear(third!);
    expect(lines.next().text).toBe(dialogue.turns[4]?.text);
  });

  it('do not depend on the form of accents', () => {
    const accented = {
      ...dialogue,
      turns: dialogue.turns.map((turn, at) => (at === 1 ? { ...turn, text: 'un café'.normalize('NFC') } : turn)),
    };
    const lines = createAgentLines([accented]);
    lines.hear('un café'.normalize('NFD'));
    expect(lines.next().text).toBe(second);
  });
});
