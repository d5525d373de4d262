/** What `work` comes to, or the signal's reason as a rejection when that is sooner. The work itself goes on: not everything can be stopped. */
export async function inTime<R>(work: Promise<R>, signal: AbortSignal | undefined): Promise<R> {
  if (signal === undefined) return work;
  const late = Promise.withResolvers<never>();
  const giveUp = (): void => late.reject(signal.reason);
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
