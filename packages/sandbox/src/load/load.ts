import { setTimeout as pause } from 'node:timers/promises';
import type { AgentCommands } from './agent/main.ts';
import type { CallerCommands } from './caller/main.ts';
import type { LoadTarget } from './caller/target.ts';
import { machineUs } from './clock.ts';
import { faultsOf, type FaultShares } from './faults.ts';
import { reportOf, type LoadReport } from './report.ts';
import { startWorker, type Worker } from './worker.ts';

export type LoadOptions = {
  /** Milliseconds of audio in one piece of the agent, 20 to 400. OpenAI's are about 200. */
  readonly pieceMs: number;
  /** Processes that the callers are spread over. */
  readonly callerProcesses: number;
};

/** One round: so many calls at once, measured for so long. */
export type LoadRound = {
  readonly target: LoadTarget;
  readonly calls: number;
  readonly seconds: number;
  readonly faults: FaultShares;
  /** Milliseconds that all calls are up before anything is measured. Default 3 s: code is compiled, queues have settled. */
  readonly warmUpMs?: number;
  /** Called as the measured window begins and ends, all calls up: for what is read outside. */
  readonly onWindow?: (edge: 'begin' | 'end') => Promise<void>;
  /** What is going on, for people. */
  readonly onProgress?: (line: string) => void;
};

/**
 * Load in real time: callers as Twilio's network brings them, and an agent that answers in OpenAI's shapes, both in processes of
 * their own, so that making the load disturbs neither what is measured nor the clock that measures it.
 */
export type Load = {
  /** The stand-in agent, for `AGENT_BASE_URL`. */
  readonly agentUrl: string;
  /** Runs a round from the first call to the last hang-up. Rejects when the load itself breaks; bad calls are in the report. */
  run(round: LoadRound): Promise<LoadReport>;
  close(): Promise<void>;
};

const PLACED_PER_SECOND = 50;
const WARM_UP_MS = 3_000;
const PROGRESS_MS = 5_000;
/** Frames still on their way when everybody has fallen silent may take so long. */
const SETTLE_MS = 3_000;

/** Starts the processes of a {@link Load}. */
export async function startLoad(options: LoadOptions): Promise<Load> {
  const agent = startWorker<AgentCommands>(new URL('agent/main.ts', import.meta.url));
  const callers = Array.from({ length: options.callerProcesses }, () =>
    startWorker<CallerCommands>(new URL('caller/main.ts', import.meta.url)),
  );
  const close = async (): Promise<void> => {
    await Promise.all([agent, ...callers].map((worker) => worker.end()));
  };
  try {
    const { port } = await agent.ask('start', { pieceMs: options.pieceMs });
    return {
      agentUrl: `http://127.0.0.1:${port}`,
      run: (round) => runRound(round, { agent, callers, pieceMs: options.pieceMs }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type Sides = {
  readonly agent: Worker<AgentCommands>;
  readonly callers: readonly Worker<CallerCommands>[];
  readonly pieceMs: number;
};

async function runRound(round: LoadRound, sides: Sides): Promise<LoadReport> {
  const { agent, callers, pieceMs } = sides;
  const tell = round.onProgress ?? (() => undefined);
  const each = <T>(ask: (worker: Worker<CallerCommands>, n: number) => Promise<T>): Promise<T[]> =>
    Promise.all(callers.map(ask));

  await agent.ask('begin');
  const calls = Array.from({ length: round.calls }, (_, n) => ({
    call: n,
    faults: faultsOf(n, round.calls, round.faults),
  }));
  await each((worker, n) =>
    worker.ask('begin', {
      target: round.target,
      calls: calls.filter(({ call }) => call % callers.length === n),
      placedPerSecond: PLACED_PER_SECOND / callers.length,
      pieceMs,
    }),
  );
  tell(`placing ${round.calls} calls`);
  await each((worker) => worker.ask('place'));
  await pause(round.warmUpMs ?? WARM_UP_MS);
  await measure(round, sides, tell);
  await agent.ask('hush');
  await each((worker) => worker.ask('hush'));
  await settle(sides);
  tell('hanging up');
  await each((worker) => worker.ask('hangUp'));
  return reportOf(await agent.ask('report'), await each((worker) => worker.ask('report')));
}

async function measure(round: LoadRound, { agent, callers }: Sides, tell: (line: string) => void): Promise<void> {
  const fromUs = machineUs();
  const window = { fromUs, untilUs: fromUs + round.seconds * 1e6 };
  await Promise.all([agent.ask('measure', window), ...callers.map((worker) => worker.ask('measure', window))]);
  await round.onWindow?.('begin');
  for (const worker of callers) await worker.ask('disturb', (round.seconds * 1_000) / 2);
  for (let leftMs = remainingMs(window.untilUs); leftMs > 0; leftMs = remainingMs(window.untilUs)) {
    tell(`${round.calls} calls, ${Math.ceil(leftMs / 1_000)} s to go`);
    await pause(Math.min(leftMs, PROGRESS_MS));
  }
  await round.onWindow?.('end');
}

/** Waits until every frame that was sent has arrived, or nothing comes any more. */
async function settle({ agent, callers }: Sides): Promise<void> {
  let last = -1;
  let quietSince = performance.now();
  while (performance.now() - quietSince < SETTLE_MS) {
    const tallies = await Promise.all([agent.ask('tally'), ...callers.map((worker) => worker.ask('tally'))]);
    const sent = tallies.reduce((sum, tally) => sum + tally.sent, 0);
    const seen = tallies.reduce((sum, tally) => sum + tally.seen, 0);
    if (seen >= sent) return;
    if (seen !== last) quietSince = performance.now();
    last = seen;
    await pause(100);
  }
}

function remainingMs(untilUs: number): number {
  return (untilUs - machineUs()) / 1_000;
}
