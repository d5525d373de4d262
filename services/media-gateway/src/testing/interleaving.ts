/** Real ones, from before a test fakes them. */
const realImmediate = setImmediate;

/**
 * The network between processes and what they share: every operation waits here, before and after it happens, until the test lets it
 * go. What belongs to a process that was killed never goes on.
 */
export type Network = {
  /** Waits for its turn, on behalf of a process. */
  turn(process: string): Promise<void>;
  /** Lets one waiting operation go, by number; false when nothing waits. */
  release(which: number): boolean;
  kill(process: string): void;
};

export function createNetwork(): Network {
  let waiting: { readonly process: string; readonly go: () => void }[] = [];
  const dead = new Set<string>();
  return {
    turn: (process) =>
      new Promise<void>((go) => {
        if (!dead.has(process)) waiting.push({ process, go });
      }),
    release: (which) => {
      const chosen = waiting[which % Math.max(1, waiting.length)];
      if (chosen === undefined) return false;
      waiting = waiting.filter((each) => each !== chosen);
      chosen.go();
      return true;
    },
    kill: (process) => {
      dead.add(process);
      waiting = waiting.filter((each) => each.process !== process);
    },
  };
}

/** Lets everything run that waits for nothing any more. */
export function settle(): Promise<void> {
  return new Promise((resolve) => realImmediate(resolve));
}
