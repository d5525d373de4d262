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

/** Waits for an event, but no longer than `ms` and the signal let it; leaves neither timer nor listener behind. */
export async function firstOf(event: Promise<unknown>, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return;
  const end = Promise.withResolvers<void>();
  const onEnd = (): void => end.resolve();
  const timer = ms === Infinity ? undefined : setTimeout(onEnd, ms);
  signal?.addEventListener('abort', onEnd, { once: true });
  await Promise.race([event, end.promise]);
  clearTimeout(timer);
  signal?.removeEventListener('abort', onEnd);
}
