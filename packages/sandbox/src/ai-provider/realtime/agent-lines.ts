import type { Dialogue } from '../../dialogues/dialogue.ts';

/** What the agent says next: null for nothing. `isLast`: with it the agent's part is over, and it hangs up. */
export type AgentLine = { readonly text: string | null; readonly isLast: boolean };

export type AgentLines = {
  /** The caller said this. */
  hear(text: string): void;
  /** The agent said this in an earlier session. */
  recall(text: string): void;
  /** What the agent says now. */
  next(): AgentLine;
  /** The dialogue that the call follows so far, or null. */
  readonly dialogueId: string | null;
};

const LOST = { he: 'סליחה, לא הבנתי. אפשר לחזור על זה?', en: 'Sorry, I did not get that. Could you say it again?' };

/** The agent's side of one call: it follows the dialogue in which the caller's words occur, and says so politely when none does. */
export function createAgentLines(dialogues: readonly Dialogue[]): AgentLines {
  let current: Dialogue | null = null;
  let at = 0;
  let puzzled: string | null = null;

  const find = (text: string): { dialogue: Dialogue; turn: number } | undefined => {
    const places = [
      ...(current === null ? [] : [{ dialogue: current, from: at }]),
      ...dialogues.map((dialogue) => ({ dialogue, from: 0 })),
    ];
    const found = places.map(({ dialogue, from }) => ({ dialogue, turn: callerTurn(dialogue, text, from) }));
    return found.find(({ turn }) => turn >= 0);
  };

  return {
    hear: (text) => {
      const place = find(text);
      puzzled = place === undefined ? text : null;
      if (place === undefined) return;
      current = place.dialogue;
      at = place.turn + 1;
    },
    recall: (text) => {
      const turn = current?.turns[at];
      if (turn?.speaker === 'agent' && same(turn.text, text)) at += 1;
    },
    next: () => {
      if (puzzled !== null) return { text: /\p{Script=Hebrew}/u.test(puzzled) ? LOST.he : LOST.en, isLast: false };
      const from = at;
      while (current?.turns[at]?.speaker === 'agent') at += 1;
      if (current === null || at === from) return { text: null, isLast: false };
      const text = current.turns
        .slice(from, at)
        .map((turn) => turn.text)
        .join(' ');
      return { text, isLast: at === current.turns.length && current.ending === 'agent_hangs_up' };
    },
    get dialogueId() {
      return current?.id ?? null;
    },
  };
}

function callerTurn(dialogue: Dialogue, text: string, from: number): number {
  return dialogue.turns.findIndex((turn, index) => index >= from && turn.speaker === 'caller' && same(turn.text, text));
}

function same(left: string, right: string): boolean {
  return left.normalize('NFC').trim() === right.normalize('NFC').trim();
}
