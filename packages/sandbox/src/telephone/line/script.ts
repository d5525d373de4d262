import type { Dialogue } from '../../dialogues/dialogue.ts';

/**
 * What one caller does: the part of a dialogue that the telephone plays. The caller speaks its own turns and waits for the
 * agent's, whose words it does not compare. Without turns the caller stays silent for a while, or hangs up at once.
 */
export type CallScript = Pick<Dialogue, 'from' | 'to' | 'direction' | 'turns' | 'silent' | 'ending'> & {
  /** How long a silent caller stays, in seconds of audio. Default 5. */
  readonly silentSeconds?: number | undefined;
};

/** One thing after another that a caller does. */
export type Step =
  /** Until so many utterances of the agent ended and the line is quiet. */
  | { readonly kind: 'listen'; readonly utterances: number }
  /** Until so much of the agent's words was heard, whether they have ended or not. */
  | { readonly kind: 'interrupt'; readonly afterMs: number }
  | { readonly kind: 'speak'; readonly text: string }
  | { readonly kind: 'wait'; readonly ms: number }
  /** Until the other side ends the call. */
  | { readonly kind: 'await_hang_up' }
  | { readonly kind: 'hang_up' };

/** A caller who has spoken last stays so long, so that the other side notices the end of the words. */
const AFTER_OWN_WORDS_MS = 1_500;
/** The time in which a caller who hangs up at once does so. */
const AT_ONCE_MS = 200;
const SILENT_MS = 5_000;

/** The steps of a script. The last one always ends the call or waits for its end. */
export function stepsOf(script: CallScript): Step[] {
  if (script.turns.length === 0) {
    const silentMs = script.silentSeconds === undefined ? SILENT_MS : script.silentSeconds * 1_000;
    return [{ kind: 'wait', ms: script.silent ? silentMs : AT_ONCE_MS }, { kind: 'hang_up' }];
  }
  const end: Step = script.ending === 'agent_hangs_up' ? { kind: 'await_hang_up' } : { kind: 'hang_up' };
  const steps: Step[] = [];
  let utterances = 0;
  for (const turn of script.turns) {
    if (turn.speaker === 'agent') {
      utterances += 1;
      continue;
    }
    if (turn.interruptsAfterMs !== undefined) steps.push({ kind: 'interrupt', afterMs: turn.interruptsAfterMs });
    else if (utterances > 0) steps.push({ kind: 'listen', utterances });
    utterances = 0;
    steps.push({ kind: 'speak', text: turn.text });
  }
  if (end.kind === 'hang_up') {
    steps.push(utterances > 0 ? { kind: 'listen', utterances } : { kind: 'wait', ms: AFTER_OWN_WORDS_MS });
  }
  return [...steps, end];
}
