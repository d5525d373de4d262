import type { SessionContext } from './context.ts';
import type { Settings } from './settings.ts';

/** What one response says, and the function that it calls; `about` is what it answers to. */
export type Words = { readonly speech: string | null; readonly tool: string | null; readonly about: string };

const END_CALL = 'end_call';
const OPENING = 'Hello, how can I help you?';
/** What is to be said word by word: between guillemets, or all that follows. */
const EXACTLY = /Say exactly:\s*(?:«([^»]*)»|([^]*))|«([^»]*)»/;

/**
 * The words of a response that the client asks for. Instructions of the form `Say exactly: ...`, or with the words between « and »,
 * are followed; those of the session count for the first response. Otherwise the agent says its next turn.
 */
export function wordsFor(instructions: string | null, context: SessionContext, hasSpoken: boolean): Words {
  const told = exactly(instructions) ?? (hasSpoken ? null : exactly(context.settings.instructions));
  if (told === null) return nextWords(context, instructions ?? '', hasSpoken);
  return { speech: isSayable(told) ? told : null, tool: null, about: instructions ?? told };
}

/** The agent's next turn in the dialogue, and the end of the call if that was its last. */
export function nextWords({ lines, settings }: SessionContext, about: string, hasSpoken: boolean): Words {
  const line = lines.next();
  const isOpening = line.text === null && !hasSpoken && lines.dialogueId === null;
  return { speech: isOpening ? OPENING : line.text, tool: line.isLast ? endCallOf(settings) : null, about };
}

function exactly(instructions: string | null): string | null {
  const match = EXACTLY.exec(instructions ?? '');
  return match === null ? null : (match[1] ?? match[2] ?? match[3] ?? '').trim();
}

/** A text without a letter or a digit (an ellipsis) is a pause: nobody can say it. */
function isSayable(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}

function endCallOf(settings: Settings): string | null {
  return settings.tools.some((tool) => tool.name === END_CALL) ? END_CALL : null;
}
