import type { FailureCode, PauseReason } from '@pipeline/contracts';
import { createWaiters } from './waiters.ts';

/** How a message ended, as far as a pause is concerned. */
export type Ending =
  | { readonly kind: 'pause'; readonly reason: PauseReason }
  | { readonly kind: 'done' }
  | { readonly kind: 'handed_on'; readonly code: FailureCode }
  | { readonly kind: 'other' };

/** Permission to pull one message. `leave(null)`: none came, so a probe may go on at once. */
export type Turn = { leave(ending: Ending | null): void };

/**
 * Holds the slots of a stage back while the provider rejects our credentials, quota or model. Invariants:
 * G1 while it is open, every slot goes through at once;
 * G2 while it is paused, at most one slot goes through, and the next one follows no earlier than one interval after its
 *    message ended;
 * G3 the first message that proves that the provider answers opens it for all; anything else leaves it as it is;
 * G4 once stopped, nobody goes through and nobody waits.
 */
export type PauseGate = {
  /** Waits for this slot's turn. Null: stopped. */
  enter(): Promise<Turn | null>;
  stop(): void;
};

/** Failures that the provider itself answered: it took our credentials, our quota and our model. */
const ANSWERED: ReadonlySet<FailureCode> = new Set([
  'PROVIDER_REFUSED',
  'PROVIDER_REJECTED',
  'OUTPUT_TRUNCATED',
  'OUTPUT_INVALID',
]);

/** `probe` is the turn that is through while paused, `timer` runs until the next one may go. */
type State = { reason: PauseReason | null; probe: symbol | null; timer: NodeJS.Timeout | null; stopped: boolean };

/** `onPaused` is told about every change. */
export function createPauseGate(
  probeEveryMs: number,
  onPaused: (reason: PauseReason, paused: boolean) => void,
): PauseGate {
  const state: State = { reason: null, probe: null, timer: null, stopped: false };
  const slots = createWaiters();

  const setReason = (next: PauseReason | null): void => {
    if (state.reason === next) return;
    if (state.reason !== null) onPaused(state.reason, false);
    if (next !== null) onPaused(next, true);
    state.reason = next;
  };
  const endTimer = (): void => {
    if (state.timer !== null) clearTimeout(state.timer);
    state.timer = null;
    slots.wakeAll();
  };
  const open = (): void => {
    setReason(null);
    state.probe = null;
    endTimer();
  };
  const leave = (turn: symbol, ending: Ending | null): void => {
    const wasProbe = state.probe === turn;
    if (wasProbe) state.probe = null;
    if (ending?.kind === 'pause') setReason(ending.reason);
    if (ending !== null && provesAnswer(ending)) open();
    if (state.reason === null || state.probe !== null) return;
    if (ending === null) slots.wakeAll();
    else if (wasProbe || ending.kind === 'pause') state.timer ??= setTimeout(endTimer, probeEveryMs);
  };

  return {
    enter: async () => {
      while (!state.stopped) {
        const turn = Symbol('turn');
        if (state.reason === null) return { leave: (ending) => leave(turn, ending) };
        if (state.probe === null && state.timer === null) {
          state.probe = turn;
          return { leave: (ending) => leave(turn, ending) };
        }
        await slots.wait();
      }
      return null;
    },
    stop: () => {
      state.stopped = true;
      endTimer();
    },
  };
}

function provesAnswer(ending: Ending): boolean {
  return ending.kind === 'done' || (ending.kind === 'handed_on' && ANSWERED.has(ending.code));
}
