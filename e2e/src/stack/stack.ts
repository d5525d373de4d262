import type { AiProvider, Dialogue, PlacedCall, Telephone, WebhookReceiver } from '@pipeline/sandbox';
import type { Preference, RunningMongo, RunningNats, ServerEnvironment } from '@pipeline/sandbox/servers';
import { setTimeout as wait } from 'node:timers/promises';
import { SERVICES, type ServiceName, type Surroundings } from './environment.ts';
import { startFleet, type Fleet } from './fleet.ts';
import { createRecords, type Records } from './records.ts';
import type { ServiceLine } from './service-process.ts';
import { createStreams, type Streams } from './streams.ts';
import { startWorld, type World } from './world.ts';

type Variables = Readonly<Record<string, string>>;

export type StackOptions = {
  /** Where servers are looked for; default what the process has. */
  readonly environment?: ServerEnvironment;
  readonly prefer?: Preference;
  /** A folder that outlives the stack; default a fresh temporary one. */
  readonly dataDir?: string;
  /** The services to start, each with this many processes. Default all five, one each. */
  readonly services?: readonly ServiceName[];
  readonly replicas?: number;
  /** Variables that differ from the local defaults, per service. */
  readonly overrides?: Partial<Record<ServiceName, Variables | ((surroundings: Surroundings) => Variables)>>;
  /** Modules loaded before a service, to sabotage it. */
  readonly preload?: Partial<Record<ServiceName, readonly string[]>>;
  /** Variables for every service and for provisioning alike, such as `ACK_WAIT_MS`. */
  readonly shared?: Readonly<Record<string, string>>;
  /** Users that differ from the product's roles, to show that a check notices. */
  readonly extraRoles?: Partial<Record<string, Readonly<Record<string, 'read' | 'readWrite'>>>>;
  /** Gives up starting; what was started is stopped. */
  readonly signal?: AbortSignal;
  /** What is being started, for people. */
  readonly report?: (line: string) => void;
  /** Every line that a service writes. */
  readonly onLine?: (line: ServiceLine) => void;
};

/** The whole product on one machine: servers, the outside world, the five services. */
export type Stack = {
  readonly nats: RunningNats;
  readonly mongo: RunningMongo;
  readonly telephone: Telephone;
  readonly provider: AiProvider;
  readonly receiver: WebhookReceiver;
  readonly dialogues: readonly Dialogue[];
  readonly surroundings: Surroundings;
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
    await Promise.all(chosen.map((service) => fleet.start(service, options.replicas ?? 1)));
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
    dialogues: world.dialogues,
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
