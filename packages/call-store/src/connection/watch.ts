import { setTimeout as delay } from 'node:timers/promises';
import type { StoreLog, StoreReadiness } from './store.ts';

/** Milliseconds between two looks. */
const INTERVAL_MS = 2_000;
/** A state older than this is no state: the look behind it hangs. */
const STALE_MS = 15_000;

/** The present state of something that is looked at again and again. */
export type Watch = {
  readonly readiness: () => StoreReadiness;
  /** Forgets that all was well and looks again at once. */
  readonly doubt: (reason: string) => void;
  /** Resolves when the last look has ended, after the signal was aborted. */
  readonly ended: Promise<void>;
};

/**
 * Looks at once, then every two seconds until the signal aborts; resolves after the first look. `look` throws when all is lost
 * and `reasonOf` says why in words without secrets. Each change of the state is one log line.
 */
export async function startWatch(options: {
  readonly look: (wasReady: boolean) => Promise<StoreReadiness>;
  readonly reasonOf: (error: unknown) => string;
  readonly logger: StoreLog;
  readonly signal: AbortSignal;
}): Promise<Watch> {
  const { logger, signal } = options;
  let state: StoreReadiness = { ok: false, reason: 'not connected yet' };
  let setAt = performance.now();
  let wake = new AbortController();

  const lookOnce = async (): Promise<void> => {
    const before = state;
    let error: unknown;
    const next = await options.look(state.ok).catch((cause: unknown): StoreReadiness => {
      error = cause;
      return { ok: false, reason: options.reasonOf(cause) };
    });
    if (signal.aborted || (next.ok && wake.signal.aborted)) return; // closed, or doubted while looking
    state = next;
    setAt = performance.now();
    if (next.ok && !before.ok) logger.info({}, 'MongoDB is ready');
    const isNews = !next.ok && (before.ok || before.reason !== next.reason);
    if (isNews)
      logger.warn({ reason: next.reason, ...(error === undefined ? {} : { err: error }) }, 'MongoDB is not ready');
  };
  const keepLooking = async (): Promise<void> => {
    while (!signal.aborted) {
      const either = AbortSignal.any([signal, wake.signal]);
      await delay(INTERVAL_MS, undefined, { signal: either, ref: false }).catch(() => {});
      wake = new AbortController();
      if (!signal.aborted) await lookOnce();
    }
  };

  await lookOnce();
  return {
    ended: keepLooking(),
    readiness: () => (performance.now() - setAt > STALE_MS ? { ok: false, reason: 'no answer to pings' } : state),
    doubt: (reason) => {
      if (state.ok) state = { ok: false, reason };
      wake.abort();
    },
  };
}
