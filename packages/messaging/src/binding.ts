import { describeBrokerFailure } from './broker-error.ts';
import { compareTopology } from './compare.ts';
import type { Connection } from './connection.ts';
import type { Log } from './log.ts';
import type { Readiness } from './stage-definition.ts';
import type { ConsumerSpec, Topology } from './topology.ts';
import { createWaiters, firstOf } from './waiters.ts';

/**
 * A consumer's tie to the broker. Invariants:
 * B1 nothing is pulled before the configuration was seen as expected, nor while a difference is known;
 * B2 it is checked for ever: every 2 s while something is wrong, every 30 s else, at once when a pull fails;
 * B3 a check that gets no answer makes it unready, and does not stop pulls that may still work.
 */
export type Binding = {
  /** Waits for a consumer to pull from. Null: stopped. */
  consumer(): Promise<ConsumerSpec | null>;
  readiness(): Readiness;
  /** Something looked wrong: check now. */
  recheck(): void;
  stop(): void;
};

type State = { bound: ConsumerSpec | null; reason: string | null; stopped: boolean };

const WRONG_EVERY_MS = 2_000;
const RIGHT_EVERY_MS = 30_000;

/** Binds the one consumer of `expected` and keeps comparing everything in it. */
export function createBinding(connection: Connection, expected: Topology, logger: Log): Binding {
  const state: State = { bound: null, reason: 'not bound yet', stopped: false };
  const slots = createWaiters();
  const checks = createWaiters();

  const keepChecking = async (): Promise<void> => {
    while (!state.stopped && !connection.nc.isClosed()) {
      const before = state.reason;
      await check(connection, expected, state);
      if (state.reason !== before) say(logger, state.reason);
      slots.wakeAll();
      await firstOf(checks.wait(), state.reason === null ? RIGHT_EVERY_MS : WRONG_EVERY_MS);
    }
  };
  void keepChecking();

  return {
    consumer: async () => {
      while (!state.stopped && state.bound === null) await slots.wait();
      return state.stopped ? null : state.bound;
    },
    readiness: () => (state.reason === null ? { ok: true } : { ok: false, reason: state.reason }),
    recheck: checks.wakeAll,
    stop: () => {
      state.stopped = true;
      checks.wakeAll();
      slots.wakeAll();
    },
  };
}

async function check(connection: Connection, expected: Topology, state: State): Promise<void> {
  try {
    const found = (await compareTopology(connection, expected)).filter(({ kind }) => kind !== 'wider');
    state.bound = found.length > 0 ? null : consumerOf(expected);
    state.reason = found.length > 0 ? found.map(({ text }) => text).join('; ') : null;
  } catch (error) {
    state.reason = `cannot be checked: ${describeBrokerFailure(error)}`;
  }
}

function consumerOf({ consumers }: Topology): ConsumerSpec {
  const [spec] = consumers;
  if (spec === undefined) throw new TypeError('a binding needs a consumer');
  return spec;
}

function say(logger: Log, difference: string | null): void {
  if (difference === null) logger.info({}, 'bound, the broker is as expected');
  else logger.warn({ difference }, 'unready, the broker is not as expected');
}
