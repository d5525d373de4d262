/**
 * Works all items, at most `limit` at the same time, results in the order of the items. After the first failure nothing new begins; it
 * is thrown when what runs has ended, so that paid work is not thrown away and the caller may close what the work was reading.
 */
export async function mapBounded<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, signal: AbortSignal) => Promise<R>,
  signal: AbortSignal,
): Promise<R[]> {
  const stop = new AbortController();
  const results = new Map<number, R>();
  const waiting = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of waiting) {
      signal.throwIfAborted();
      stop.signal.throwIfAborted();
      results.set(index, await work(item, signal));
    }
  };
  const workers = Array.from({ length: Math.min(limit, items.length) }, async () => {
    try {
      await worker();
    } catch (error) {
      stop.abort(error); // Only the first reason stays.
    }
  });
  await Promise.all(workers);
  signal.throwIfAborted();
  stop.signal.throwIfAborted();
  return [...results.entries()].toSorted(([a], [b]) => a - b).map(([, result]) => result);
}

/** Runs `work` when fewer than `limit` others run, in order of asking. An aborted signal gives up the place in the queue. */
export type Limiter = <R>(work: () => Promise<R>, signal: AbortSignal) => Promise<R>;

/** One limit for a whole process. The queue is bounded by those who ask: each call asks for its own few at a time. */
export function createLimiter(limit: number): Limiter {
  const queue = new Set<() => void>();
  let running = 0;
  const release = (): void => {
    running -= 1;
    const [next] = queue;
    next?.();
  };
  const acquire = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const leave = (): void => {
        queue.delete(enter);
        signal.removeEventListener('abort', refuse);
      };
      const enter = (): void => {
        leave();
        running += 1;
        resolve();
      };
      const refuse = (): void => {
        leave();
        reject(signal.reason);
      };
      if (signal.aborted) reject(signal.reason);
      else if (running < limit) enter();
      else {
        queue.add(enter);
        signal.addEventListener('abort', refuse, { once: true });
      }
    });
  return async (work, signal) => {
    await acquire(signal);
    try {
      return await work();
    } finally {
      release();
    }
  };
}
