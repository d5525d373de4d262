import { setTimeout as wait } from 'node:timers/promises';
import { RetryLaterError, type NewCallLog } from '@pipeline/contracts';
import { judgeCase, type Judged } from './score.ts';
import type { Analyse, Case } from './stages.ts';

export type EvaluateOptions = {
  /** Dialogues that are worked at once. */
  readonly concurrency: number;
  /** Told of each dialogue when it is done. */
  readonly progress: (done: number, call: Case, judged: readonly Judged[], failure: string | null) => void;
};

/** A dialogue of which a part failed, and the code of the first. */
export type FailedCase = { readonly dialogueId: string; readonly code: string };
/** Every field of every dialogue, and which of them failed: of these nothing was found. */
export type Evaluated = { readonly judged: readonly Judged[]; readonly failed: readonly FailedCase[] };

/** The code of a dialogue whose provider stayed busy, where a stage would wait for longer. */
const BUSY = 'PROVIDER_BUSY';

const TRIES = 5;
const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 60_000;

/**
 * Works every dialogue and judges its fields. A provider that is busy is asked again, at most five times; then the dialogue has failed and
 * the others go on, which may be paid for already. One that rejects the key, the quota or the model ends the evaluation with its error,
 * because no dialogue would fare better.
 */
export async function evaluate(
  cases: readonly Case[],
  analyse: Analyse,
  options: EvaluateOptions,
  signal: AbortSignal,
): Promise<Evaluated> {
  const all: (readonly Judged[])[] = Array.from({ length: cases.length }, () => []);
  const failed: FailedCase[] = [];
  const queue = [...cases.entries()];
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  let done = 0;
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [at, call] = next;
      const { found, failure } = await patiently(() => analyse(call, either), either);
      const judged = judgeCase(call, found);
      all[at] = judged;
      done += 1;
      if (failure !== null) failed.push({ dialogueId: call.dialogue.id, code: failure });
      options.progress(done, call, judged, failure);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(options.concurrency, cases.length) }, work));
  } catch (error) {
    stop.abort(error);
    throw error;
  }
  return { judged: all.flat(), failed };
}

type Attempted = { readonly found: Pick<NewCallLog, 'fields'>; readonly failure: string | null };

async function patiently(attempt: () => Promise<NewCallLog>, signal: AbortSignal): Promise<Attempted> {
  for (let tries = 1; ; tries += 1) {
    try {
      const log = await attempt();
      return { found: log, failure: failureOf(log) };
    } catch (error) {
      const mayHeal = error instanceof RetryLaterError && error.pause === undefined;
      if (!mayHeal || signal.aborted) throw error;
      if (tries === TRIES) return { found: { fields: [] }, failure: BUSY };
      await wait(Math.min(LONGEST_WAIT_MS, error.retryAfterMs ?? FIRST_WAIT_MS * 2 ** (tries - 1)), undefined, {
        signal,
      });
    }
  }
}

/** The first part that failed. What was skipped for want of words has nothing that could fail. */
function failureOf({ stages }: NewCallLog): string | null {
  const results = [stages.summarizer, stages.extractor];
  return results.find((result) => result?.state === 'failed')?.code ?? null;
}
