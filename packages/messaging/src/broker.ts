import { setTimeout as sleep } from 'node:timers/promises';
import type { StageName } from '@pipeline/contracts';
import { createClaimStore } from './claim-store.ts';
import { BrokerError } from './broker-error.ts';
import { openConnection, openOperatorConnection, type Connection, type ConnectionIdentity } from './connection.ts';
import { createCrashCount } from './crash-count.ts';
import { createDeadLetters } from './dead-letter.ts';
import { openBucket, type BucketOptions, type KeyValue } from './key-value.ts';
import { createPaidStore } from './paid-store.ts';
import { createPublisher, type Publish } from './publisher.ts';
import { createReader, type Reader } from './reader.ts';
import { createSolitude } from './solitude.ts';
import type { CommandDefinition, Readiness, Stage, StageDefinition } from './stage-definition.ts';
import { commandWork, runStage, stageWork, type StageParts } from './stage.ts';

export type BrokerOptions = ConnectionIdentity & {
  /** The connection is closed for good though nobody asked: the process should end. */
  readonly onClosed: (error: unknown) => void;
  /** Given the condition "connected" before the first connect, so that a process that still waits for it says why. */
  readonly addReadiness?: (name: string, check: () => Readiness) => void;
};

/** A service's side of the broker. */
export type Broker = Reader & {
  /** Resolves when the event is stored in its stream: see {@link Publish}. */
  readonly publish: Publish;
  /** Opens a bucket of key-value entries that this identity may use: see {@link KeyValue}. Nothing is sent yet. */
  openBucket<T>(options: BucketOptions<T>): KeyValue<T>;
  /** Connected now. `addReadiness` of the options is given the same. */
  readiness(): Readiness;
  /** Runs a stage until it is stopped. Resolves at once; the stage is unready until it is bound. */
  startStage<S extends StageName>(definition: StageDefinition<S>): Promise<Stage>;
  /** Runs the consumer of erase commands, likewise. */
  startCommands(definition: CommandDefinition): Promise<Stage>;
  /** Sends what is buffered and closes, within 10 s. Stop the stages first: an acknowledgement after this is lost. */
  close(): Promise<void>;
};

/** An operator's side: publish, look, leave. */
export type Operator = Reader & Pick<Broker, 'publish' | 'openBucket' | 'close'>;

const FLUSH_MS = 2_000;
const DRAIN_MS = 5_000;

/** Connects a service. Resolves at the first connection, however long that takes, and never gives up afterwards. */
export async function connectBroker(options: BrokerOptions): Promise<Broker> {
  let connection: Connection | null = null;
  let reason = 'the first try is on its way';
  const readiness = (): Readiness => {
    if (connection === null) return { ok: false, reason: `not connected to NATS: ${reason}` };
    return connection.isConnected() ? { ok: true } : { ok: false, reason: 'not connected to NATS' };
  };
  options.addReadiness?.('broker', readiness);
  connection = await openConnection(options, (why) => (reason = why));
  const { operator, parts } = assemble(connection, options);
  let isClosing = false;
  const onClosed = (error: unknown): void => {
    if (!isClosing) options.onClosed(error ?? new BrokerError('the connection to NATS is closed'));
  };
  void connection.nc.closed().then(onClosed);

  return {
    ...operator,
    readiness,
    startStage: async (definition) => runStage(connection, parts, stageWork(connection, definition)),
    startCommands: async (definition) => runStage(connection, parts, commandWork(definition)),
    close: async () => {
      isClosing = true;
      await operator.close();
    },
  };
}

/** Connects an operator: throws a BrokerError within seconds when there is no broker. */
export async function connectOperator(who: ConnectionIdentity): Promise<Operator> {
  return assemble(await openOperatorConnection(who), who).operator;
}

function assemble(connection: Connection, who: ConnectionIdentity): { operator: Operator; parts: StageParts } {
  const claims = createClaimStore(connection);
  const publish = createPublisher(connection, claims, who.logger);
  const crashes = createCrashCount(connection);
  const paid = createPaidStore(connection, who.logger);
  const writeDeadLetter = createDeadLetters(connection, claims);
  return {
    operator: {
      ...createReader(connection, claims),
      publish,
      openBucket: (options) => openBucket(connection, options),
      close: () => close(connection),
    },
    parts: { claims, publish, crashes, paid, writeDeadLetter, solitude: createSolitude(), now: connection.clock.now },
  };
}

async function close({ nc, isConnected }: Connection): Promise<void> {
  if (isConnected()) {
    await atMost(nc.flush(), FLUSH_MS);
    await atMost(nc.drain(), DRAIN_MS);
  }
  await nc.close();
}

async function atMost(work: Promise<unknown>, ms: number): Promise<void> {
  const timeout = new AbortController();
  const late = sleep(ms, undefined, { signal: timeout.signal });
  await Promise.race([work, late]).catch(() => undefined);
  timeout.abort();
  await late.catch(() => undefined);
}
