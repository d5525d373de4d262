/**
 * Runs work under a deadline in milliseconds and under `signal`, whichever ends first. The timer is held and cleared here: the
 * combination of `AbortSignal.any` and `AbortSignal.timeout` leaves a timer behind for every request and may be collected early.
 */
export async function withinDeadline<T>(
  ms: number,
  work: (deadline: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const ending = new AbortController();
  const end = (): void => ending.abort();
  const timer = setTimeout(end, ms);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    return await work(ending.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}
