/** A place to wait until something changed; whoever is woken looks again. */
export type Waiters = { wait(): Promise<void>; wakeAll(): void };

/** Nobody misses a change that happens after `wait` was called. */
export function createWaiters(): Waiters {
  let next = Promise.withResolvers<void>();
  return {
    wait: () => next.promise,
    wakeAll: () => {
      next.resolve();
      next = Promise.withResolvers<void>();
    },
  };
}
