import type { Logger } from '@pipeline/runtime';

/** Writes what could not be written before, as far as it comes until `signal` ends it. */
export type RepairWork = (signal: AbortSignal) => Promise<void>;

/** Repair work, round by round: one piece after another, and never two rounds at once. */
export type Repairs = {
  add(work: RepairWork): void;
  /** One round of all work, unless one is going on. What fails keeps nothing behind it waiting. Never rejected. */
  begin(): Promise<void>;
  /** Ends the round that is going on, as soon as its present write is over. */
  stop(): void;
  /** The same, and no other begins. */
  close(): void;
};

/** One piece of work may take so long before the next has its turn. */
const WORK_MS = 5_000;

export function createRepairs(logger: Logger): Repairs {
  const works: RepairWork[] = [];
  let round: AbortController | null = null;
  let isClosed = false;

  const doOne = async (work: RepairWork, stopped: AbortSignal): Promise<void> => {
    if (stopped.aborted) return;
    try {
      await work(AbortSignal.any([stopped, AbortSignal.timeout(WORK_MS)]));
    } catch (error) {
      logger.warn({ err: error }, 'what could not be shared before cannot be shared yet');
    }
  };

  return {
    add: (work) => void works.push(work),
    begin: async () => {
      if (round !== null || isClosed) return;
      const { signal } = (round = new AbortController());
      for (const work of works) await doOne(work, signal);
      round = null;
    },
    stop: () => round?.abort(),
    close: () => {
      isClosed = true;
      round?.abort();
    },
  };
}
