import type { AiProvider, Dialogue, PlacedCall, Telephone, WebhookReceiver } from '@pipeline/sandbox';
import type { RunningMongo, RunningNats } from '@pipeline/sandbox/servers';
import { setTimeout as wait } from 'node:timers/promises';
import { SERVICES, type Surroundings } from './environment.ts';
import { startFleet, type Fleet } from './fleet.ts';
import type { Gateways } from './gateways.ts';
import type { StackOptions } from './options.ts';
import { createRecords, type Records } from './records.ts';
import type { ServiceLine } from './service-process.ts';
import { createStreams, type Streams } from './streams.ts';
import { startWorld, type World } from './world.ts';

/** The whole product on one machine: servers, the outside world, the five services. */
export type Stack = {
  readonly nats: RunningNats;
  readonly mongo: RunningMongo;
  readonly telephone: Telephone;
  readonly provider: AiProvider;
  readonly receiver: WebhookReceiver;
  readonly dialogues: readonly Dialogue[];
  /** Dialogues in which the caller cuts the agent short: not every word of them is heard. */
  readonly interruptions: readonly Dialogue[];
  readonly surroundings: Surroundings;
  /** The balancer in front of the media-gateways. */
  readonly gateways: Gateways;
  readonly fleet: Fleet;
  readonly records: Records;
  readonly streams: Streams;
  /** Everything that the services have written so far. */
  readonly lines: readonly ServiceLine[];
  /** Places a call of the dialogue with this id. `speed` 1 is real time. */
  placeCall(dialogueId: string, options?: { readonly speed?: number }): Promise<PlacedCall>;
  stop(): Promise<void>;
};

const LINES_KEPT = 100_000;

/** Starts everything in the order in which it depends on each other; when a part fails, what was started is stopped. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const report = options.report ?? (() => undefined);
  const lines: ServiceLine[] = [];
  const onLine = (line: ServiceLine): void => {
    if (lines.length < LINES_KEPT) lines.push(line);
    options.onLine?.(line);
  };
  const world = await startWorld(options, report);
  const closing: (() => Promise<unknown>)[] = [() => world.stop()];
  const stop = async (): Promise<void> => {
    for (const close of closing.splice(0).toReversed()) await close();
  };
  try {
    options.signal?.throwIfAborted();
    const fleet = startFleet(world, options, onLine);
    closing.push(() => fleet.stop());
    const chosen = options.services ?? SERVICES;
    await Promise.all([
      world.storeBusinesses(),
      ...chosen.map((service) => fleet.start(service, options.replicas ?? 1)),
    ]);
    report(`${chosen.join(', ')}: ready`);
    const records = await createRecords(world.surroundings);
    closing.push(() => records.close());
    const streams = await createStreams(world.surroundings);
    closing.push(() => streams.close());
    return { ...partsOf(world), fleet, records, streams, lines, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function partsOf(world: World): Omit<Stack, 'fleet' | 'records' | 'streams' | 'lines' | 'stop'> {
  return {
    nats: world.nats,
    mongo: world.mongo,
    telephone: world.telephone,
    provider: world.provider,
    receiver: world.receiver,
    gateways: world.gateways,
    dialogues: world.dialogues,
    interruptions: world.interruptions,
    surroundings: world.surroundings,
    placeCall: (dialogueId, callOptions) => world.placeCall(dialogueId, callOptions),
  };
}

/** Waits until `condition` holds, asking every 25 ms; rejects with `what` after `timeoutMs`. */
export async function eventually<T>(
  what: string,
  condition: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== null && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await wait(25);
  }
}
