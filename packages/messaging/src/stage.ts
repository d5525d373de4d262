import { COMMAND_CONSUMER, STAGES, STREAMS, type CallErase, type Received, type StageName } from '@pipeline/contracts';
import { createBinding } from './binding.ts';
import type { Connection } from './connection.ts';
import { hasResult } from './own-result.ts';
import { createPauseGate, type Ending } from './pause-gate.ts';
import { PULL_EXPIRES_MS } from './pull.ts';
import type { WorkerParts } from './settling.ts';
import { startSlots } from './slots.ts';
import type { CommandDefinition, Stage, StageDefinition, Work } from './stage-definition.ts';
import { CLAIM_STREAM, CRASH_STREAM, createTopology, PAID_STREAM, type Topology } from './topology.ts';
import type { Settled } from './wide-line.ts';
import { createWorker } from './worker.ts';

/** The parts of a broker that stages share. */
export type StageParts = Omit<WorkerParts, 'aborted' | 'ackWaitMs' | 'waitMs'>;

/** Milliseconds that a message waits in hand to be worked alone: as long as a stop waits for what is in hand, where that is known. */
const WAIT_MS = 110_000;
/** Of the process's grace, the share after which work in hand is aborted and given back. */
const ABORT_AT = 0.9;

/**
 * Runs a consumer: binds, pulls, works, settles, until it is stopped. Returns at once, also when the broker is down or not
 * provisioned: the stage is unready until it can bind, and tries for ever.
 */
export function runStage(connection: Connection, parts: StageParts, work: Work): Stage {
  const abort = new AbortController();
  const ackWaitMs = connection.config.ACK_WAIT_MS;
  const waitMs = work.timing.SHUTDOWN_GRACE_MS ?? WAIT_MS;
  const worker = createWorker({ ...parts, ackWaitMs, waitMs, aborted: abort.signal }, work);
  const binding = createBinding(connection, expectedBy(work, createTopology(connection.config)), work.logger);
  const gate = createPauseGate(work.timing.PAUSE_PROBE_MS, (reason, paused) => {
    work.metrics.onPaused(work.consumer, reason, paused);
    work.logger.warn({ reason, paused }, paused ? 'paused, the provider rejects us' : 'resumed');
  });
  const slots = startSlots({
    count: work.timing.SLOTS,
    pullExpiresMs: work.timing.PULL_EXPIRES_MS ?? PULL_EXPIRES_MS,
    connection,
    binding,
    gate,
    solitude: parts.solitude,
    logger: work.logger,
    work: async (message, stopping) => endingOf(await worker(message, stopping)),
  });

  return {
    stop: async () => {
      const grace = work.timing.SHUTDOWN_GRACE_MS;
      const timer = grace === undefined ? undefined : setTimeout(() => abort.abort(), grace * ABORT_AT);
      await slots.stop();
      clearTimeout(timer);
    },
    readiness: () => {
      const bound = binding.readiness();
      return bound.ok ? slots.readiness() : bound;
    },
  };
}

/** A stage in the runner's form. */
export function stageWork<S extends StageName>(connection: Connection, definition: StageDefinition<S>): Work {
  const { stage, crashPrefix, crashPoint, timing, metrics } = definition;
  const { consumes, produces } = STAGES[stage];
  const nextIsThere: Work['ownResult'] = async (event) =>
    produces !== null && (await hasResult(connection, produces, event)) ? [] : null;
  // Every message is parsed with the schema of `consumes` before one of these sees it.
  const typed = definition as unknown as Pick<Work, 'handle' | 'handOn'> & Partial<Pick<Work, 'ownResult'>>;
  return {
    consumer: stage,
    consumes,
    produces,
    timing,
    metrics,
    logger: definition.logger.child({ stage }),
    beforeAck: () => (crashPrefix === undefined ? undefined : crashPoint(`${crashPrefix}.before_ack`)),
    handle: typed.handle,
    handOn: typed.handOn,
    ownResult: typed.ownResult ?? nextIsThere,
  };
}

/** The consumer of erase commands in the runner's form. */
export function commandWork({ handle, timing, metrics, logger }: CommandDefinition): Work {
  return {
    consumer: COMMAND_CONSUMER,
    consumes: 'call.erase',
    produces: null,
    timing,
    metrics,
    logger: logger.child({ stage: COMMAND_CONSUMER }),
    beforeAck: () => undefined,
    handle: (command, _inHand, signal) => handle(command as Received<CallErase>, signal), // Parsed as one.
    handOn: null,
    ownResult: async () => null,
  };
}

/** What this consumer relies on: its stream and consumer, the next stream, dead letters and buckets. */
function expectedBy(work: Work, topology: Topology): Topology {
  const needed = new Set<string>([
    STREAMS[work.consumes],
    STREAMS['call.dead'],
    CRASH_STREAM,
    PAID_STREAM,
    CLAIM_STREAM,
  ]);
  if (work.produces !== null) needed.add(STREAMS[work.produces]);
  return {
    streams: topology.streams.filter(({ name }) => needed.has(name)),
    consumers: topology.consumers.filter(({ name }) => name === work.consumer),
  };
}

function endingOf(settled: Settled): Ending {
  switch (settled.outcome) {
    case 'done':
      return { kind: 'done' };
    case 'handed_on':
      return { kind: 'handed_on', code: settled.failure.code };
    case 'retried':
      return settled.pause === null ? { kind: 'other' } : { kind: 'pause', reason: settled.pause };
    case 'already_done':
    case 'dead':
      return { kind: 'other' };
  }
}
