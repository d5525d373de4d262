import { createWaiters, firstOf } from './waiters.ts';

/**
 * Who works at the same time in one process: all stages of a connection share one. Invariants:
 * L1 while one works alone, nobody else works;
 * L2 whoever asks to be alone comes next: those who work finish, and nobody who comes later is let in before;
 * L3 those who ask are alone one after another, in the order in which they asked;
 * L4 a wait ends with its time or its signal, and from then on it holds nobody up.
 */
export type Solitude = {
  /** A place to work beside others. Null: somebody is alone, or waits to be. */
  enter(): Place | null;
  /** Waits until nobody is alone or wants to be: before something new is taken in hand. */
  undisturbed(signal: AbortSignal): Promise<void>;
};

/** The place of one who works. */
export type Place = {
  /** Stops working beside the others and waits to be alone. False: the wait was ended, and the place is left. */
  alone(maxMs: number, signal: AbortSignal): Promise<boolean>;
  /** Ends the work. Does nothing when the place is left already. */
  leave(): void;
};

/** For one process, in which nobody works yet. */
export function createSolitude(): Solitude {
  const asking: (() => void)[] = [];
  const changes = createWaiters();
  let working = 0;
  let isSomebodyAlone = false;

  const isWanted = (): boolean => isSomebodyAlone || asking.length > 0;
  const advance = (): void => {
    if (working === 0 && !isSomebodyAlone) asking.shift()?.();
    if (!isWanted()) changes.wakeAll();
  };

  const openPlace = (): Place => {
    let state: 'beside' | 'alone' | 'left' = 'beside';
    working += 1;
    const leave = (): void => {
      if (state === 'beside') working -= 1;
      if (state === 'alone') isSomebodyAlone = false;
      state = 'left';
      advance();
    };
    const alone = async (maxMs: number, signal: AbortSignal): Promise<boolean> => {
      leave();
      const turn = Promise.withResolvers<void>();
      const begin = (): void => {
        state = 'alone';
        isSomebodyAlone = true;
        turn.resolve();
      };
      asking.push(begin);
      advance();
      await firstOf(turn.promise, maxMs, signal);
      const at = asking.indexOf(begin);
      // The turn may have come just when the wait was ended: alone it is all the same.
      if (at < 0) return true;
      asking.splice(at, 1);
      advance();
      return false;
    };
    return { alone, leave };
  };

  return {
    undisturbed: async (signal) => {
      while (isWanted() && !signal.aborted) await firstOf(changes.wait(), Infinity, signal);
    },
    enter: () => (isWanted() ? null : openPlace()),
  };
}
