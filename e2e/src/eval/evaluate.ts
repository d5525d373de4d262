import { setTimeout as wait } from 'node:timers/promises';
import { RetryLaterError, type NewCallLog } from '@pipeline/contracts';
import { judgeCase, type Judged } from './score.ts';
import type { Analyse, Case } from './stages.ts';

export type EvaluateOptions = {
  /** Dialogues that are worked at once. */
  readonly concurrency: number;
  /** Told of each dialogue when it is done. */
  readonly progress: (done: number, call: Case, log: NewCallLog, judged: readonly Judged[]) => void;
};

const TRIES = 5;
const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 60_000;

/**
 * Works every dialogue and judges its fields. A provider that is busy is asked again, at most five times; one that rejects the key, the
 * quota or the model ends the evaluation with its error, because no dialogue would fare better.
 */
export async function evaluate(
  cases: readonly Case[],
  analyse: Analyse,
  options: EvaluateOptions,
  signal: AbortSignal,
): Promise<Judged[]> {
  const all: (readonly Judged[])[] = Array.from({ length: cases.length }, () => []);
  const queue = [...cases.entries()];
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  let done = 0;
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [at, call] = next;
      const log = await patiently(() => analyse(call, either), either);
      const judged = judgeCase(call, log);
      all[at] = judged;
      done += 1;
      options.progress(done, call, log, judged);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(options.concurrency, cases.length) }, work));
  } catch (error) {
    stop.abort(error);
    throw error;
  }
  return all.flat();
}

async function patiently<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      const mayHeal = error instanceof RetryLaterError && error.pause === undefined;
      if (!mayHeal || tries === TRIES || signal.aborted) throw error;
      await wait(Math.min(LONGEST_WAIT_MS, error.retryAfterMs ?? FIRST_WAIT_MS * 2 ** (tries - 1)), undefined, {
        signal,
      });
    }
  }
}
