import { machineUs } from './clock.ts';

/** How often the pacer looks what is due. */
const TICK_MS = 1;
/** Pieces of one call in a row when the pacer is late: then others have their turn. Late pieces are made up for, never dropped. */
const MAX_BATCH = 10;

/**
 * The clock of all calls of a process in real time. Unlike the telephone's own it looks every millisecond and each call keeps its
 * own phase: hundreds of calls that all speak in the same instant would measure the queue that they make, not the gateway.
 */
export type Pacer = {
  /** Calls `make` every `everyMs`, first at `fromUs`. Returns a stop. */
  run(everyMs: number, fromUs: number, make: () => void): () => void;
  /** Stops all. */
  close(): void;
};

type Runner = { readonly everyUs: number; readonly make: () => void; dueUs: number };

/** Makes a {@link Pacer}. */
export function createPacer(): Pacer {
  const runners = new Set<Runner>();
  let timer: NodeJS.Timeout | undefined;

  const tick = (): void => {
    const nowUs = machineUs();
    for (const runner of runners) {
      for (let made = 0; runner.dueUs <= nowUs && made < MAX_BATCH; made += 1) {
        runner.dueUs += runner.everyUs;
        runner.make();
      }
    }
    timer = runners.size === 0 ? undefined : setTimeout(tick, TICK_MS);
  };

  return {
    run: (everyMs, fromUs, make) => {
      const runner: Runner = { everyUs: everyMs * 1_000, make, dueUs: fromUs };
      runners.add(runner);
      timer ??= setTimeout(tick, TICK_MS);
      return () => void runners.delete(runner);
    },
    close: () => {
      runners.clear();
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

/** Spreads the phases of calls over a period: where the n-th of any number begins, in microseconds. The golden ratio keeps them apart. */
export function phaseUs(n: number, everyMs: number): number {
  return ((n * 0.618_033_988_749_895) % 1) * everyMs * 1_000;
}
