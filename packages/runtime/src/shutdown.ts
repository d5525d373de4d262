import type { Logger } from './logger.ts';

export type Shutdown = {
  /** Aborted when the shutdown begins: take no new work. */
  readonly stopping: AbortSignal;
  onStop(name: string, step: () => Promise<unknown> | void): void;
  fail(error: unknown): void;
  finish(code: 0 | 1): void;
};

/**
 * How a process ends. Invariants:
 * S1 from the first SIGTERM or SIGINT on it takes no new work, and a second signal neither shortens nor repeats the shutdown;
 * S2 what was opened last is closed first, one after another, so work ends before the connections that it needs;
 * S3 it exits 0 after a clean shutdown, 1 when something of its own broke, its work failed or the grace (milliseconds) ran out.
 */
export function createShutdown(logger: Logger, graceMs: number): Shutdown {
  const stopping = new AbortController();
  const steps: { readonly name: string; readonly step: () => Promise<unknown> | void }[] = [];

  const shutDown = async (code: number, reason: string): Promise<void> => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    logger.info({ reason }, 'shutting down: no new work, finishing what is in hand');
    const forced = setTimeout(() => exit(logger, 1, 'the grace period ran out'), graceMs);
    const clean = await runSteps(steps.toReversed(), logger);
    clearTimeout(forced);
    exit(logger, clean ? code : 1, 'stopped');
  };
  const fail = (error: unknown): void => {
    logger.error({ err: error }, 'cannot go on');
    void shutDown(1, 'failure');
  };

  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void shutDown(0, signal));
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  return {
    stopping: stopping.signal,
    onStop: (name, step) => void steps.push({ name, step }),
    fail,
    finish: (code) => void shutDown(code, 'finished'),
  };
}

async function runSteps(
  steps: readonly { readonly name: string; readonly step: () => Promise<unknown> | void }[],
  logger: Logger,
): Promise<boolean> {
  let clean = true;
  for (const { name, step } of steps) {
    try {
      await step();
    } catch (error) {
      clean = false;
      logger.error({ err: error, phase: name }, 'a step of the shutdown failed');
    }
  }
  return clean;
}

function exit(logger: Logger, code: number, message: string): void {
  logger.info({ code }, message);
  process.exit(code);
}
