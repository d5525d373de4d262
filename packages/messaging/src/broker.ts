import { setTimeout as sleep } from 'node:timers/promises';
import type { StageName } from '@pipeline/contracts';
import { createClaimStore } from './claim-store.ts';
import { openConnection, type ConnectionIdentity } from './connection.ts';
import { createCrashCount } from './crash-count.ts';
import { createDeadLetters } from './dead-letter.ts';
import { createPublisher, type Publish } from './publisher.ts';
import { createReader, type Reader } from './reader.ts';
import type { CommandDefinition, Readiness, Stage, StageDefinition } from './stage-definition.ts';
import { commandWork, runStage, stageWork } from './stage.ts';

export type BrokerOptions = ConnectionIdentity & {
  /** The connection is closed for good though nobody asked: the process should end. */
  readonly onClosed: (error: unknown) => void;
};

/** A service's side of the broker. */
export type Broker = Reader & {
  /** Resolves when the event is stored in its stream: see {@link Publish}. */
  readonly publish: Publish;
  /** Connected now. */
  readiness(): Readiness;
  /** Runs a stage until it is stopped. Resolves at once; the stage is unready until it is bound. */
  startStage<S extends StageName>(definition: StageDefinition<S>): Promise<Stage>;
  /** Runs the consumer of erase commands, likewise. */
  startCommands(definition: CommandDefinition): Promise<Stage>;
  /** Sends what is buffered and closes, within 10 s. Stop the stages first: an acknowledgement after this is lost. */
  close(): Promise<void>;
};

const FLUSH_MS = 2_000;
const DRAIN_MS = 5_000;

/** Connects a service. Resolves at the first connection, however long that takes, and never gives up afterwards. */
export async function connectBroker(options: BrokerOptions): Promise<Broker> {
  const connection = await openConnection(options);
  const { nc } = connection;
  const claims = createClaimStore(connection);
  const publish = createPublisher(connection, claims, options.logger);
  const parts = {
    claims,
    publish,
    crashes: createCrashCount(connection),
    writeDeadLetter: createDeadLetters(connection, claims),
  };
  let isClosing = false;
  void nc
    .closed()
    .then((error) => (isClosing ? undefined : options.onClosed(error ?? new Error('the connection closed'))));

  return {
    ...createReader(connection, claims),
    publish,
    readiness: () => (connection.isConnected() ? { ok: true } : { ok: false, reason: 'not connected to NATS' }),
    startStage: async (definition) => runStage(connection, parts, stageWork(connection, definition)),
    startCommands: async (definition) => runStage(connection, parts, commandWork(definition)),
    close: async () => {
      isClosing = true;
      if (connection.isConnected()) {
        await atMost(nc.flush(), FLUSH_MS);
        await atMost(nc.drain(), DRAIN_MS);
      }
      await nc.close();
    },
  };
}

async function atMost(work: Promise<unknown>, ms: number): Promise<void> {
  await Promise.race([work.catch(() => undefined), sleep(ms)]);
}
