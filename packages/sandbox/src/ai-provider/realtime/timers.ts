/** Timers that all end with what they belong to. */
export type Timers = { after(ms: number, run: () => void): void; clear(): void };

/** A set of one-shot timers; 0 ms means as soon as the event loop comes round. Nothing runs after `clear`. */
export function createTimers(): Timers {
  const pending = new Set<() => void>();
  let isOver = false;
  return {
    after: (ms, run) => {
      if (isOver) return;
      const fire = (): void => {
        pending.delete(cancel);
        if (!isOver) run();
      };
      const immediate = ms > 0 ? undefined : setImmediate(fire);
      const timer = ms > 0 ? setTimeout(fire, ms) : undefined;
      const cancel = (): void => {
        clearImmediate(immediate);
        clearTimeout(timer);
      };
      pending.add(cancel);
    },
    clear: () => {
      isOver = true;
      for (const cancel of pending) cancel();
      pending.clear();
    },
  };
}
