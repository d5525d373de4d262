import { apiErrorNumber, API_ERRORS, describeBrokerFailure } from './broker-error.ts';
import { compareConsumer, compareStream, compareTopology, type Difference } from './compare.ts';
import { openOperatorConnection, type Connection, type ConnectionIdentity } from './connection.ts';
import { createTopology, type ConsumerSpec, type StreamSpec, type Topology } from './topology.ts';

export type ProvisionOptions = ConnectionIdentity & {
  /** What to make; by default what the configuration says. */
  readonly topology?: Topology;
  /**
   * Also shrink the limits of streams that are wider than configured. Shrinking an age deletes events that may not have been worked
   * yet, so it is never done unasked.
   */
  readonly narrow?: boolean;
};

/** What was done, one sentence a line, and whether the broker now is as expected (apart from wider limits). */
export type Provisioned = { readonly ok: boolean; readonly lines: readonly string[] };

/** Limits of a consumer decide how much is in work at once: to shrink one deletes nothing, so it needs no asking. */
const SHRINKS_UNASKED = new Set<string | null>(['max_ack_pending']);

/** Bytes of an inline event with its headers; the server's own default. */
const NEEDED_PAYLOAD = 1_048_576;

/**
 * Makes the broker what the topology says: creates what is missing, updates what differs. It never deletes and recreates (a
 * new durable would read days of history again), and says what it cannot change. Safe to repeat and to run twice at once.
 * Throws a BrokerError when there is no broker.
 */
export async function provisionBroker(options: ProvisionOptions): Promise<Provisioned> {
  const topology = options.topology ?? createTopology(options.config);
  return withOperator(options, async (connection) => {
    const { version = 'unknown', max_payload: largest = 0 } = connection.nc.info ?? {};
    const lines = [`server ${version}`];
    if (largest < NEEDED_PAYLOAD)
      lines.push(`max_payload of the server is ${largest}, at least ${NEEDED_PAYLOAD} is needed`);
    for (const spec of topology.streams) {
      lines.push(...(await provisionOne(streamWork(connection, spec), options.narrow === true)));
    }
    for (const spec of topology.consumers) {
      lines.push(...(await provisionOne(consumerWork(connection, spec), options.narrow === true)));
    }
    const left = (await compareTopology(connection, topology)).filter((difference) => difference.kind !== 'wider');
    return { ok: left.length === 0 && largest >= NEEDED_PAYLOAD, lines };
  });
}

/** Everything in which the broker deviates from the configuration. Throws a BrokerError when there is no broker. */
export async function compareBroker(
  options: ConnectionIdentity & { readonly topology?: Topology },
): Promise<Difference[]> {
  const topology = options.topology ?? createTopology(options.config);
  return withOperator(options, (connection) => compareTopology(connection, topology));
}

/** Runs one piece of an operator's work on a connection of its own. */
export async function withOperator<T>(
  who: ConnectionIdentity,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await openOperatorConnection(who);
  try {
    return await work(connection);
  } finally {
    await connection.nc.close();
  }
}

/** One stream or consumer as the steps below need it. `update` gets only the fields to change. */
type Work = {
  readonly where: string;
  readonly config: Readonly<Record<string, unknown>>;
  compare(): Promise<Difference[]>;
  create(): Promise<unknown>;
  update(change: Readonly<Record<string, unknown>>): Promise<unknown>;
};

async function provisionOne(work: Work, narrow: boolean): Promise<string[]> {
  const found = await work.compare();
  if (found.length === 0) return [`${work.where}: as expected`];
  if (found.some(({ kind }) => kind === 'missing')) return create(work, narrow);
  const isLeft = ({ kind, field }: Difference): boolean => kind === 'wider' && !narrow && !SHRINKS_UNASKED.has(field);
  const change = found.filter((one) => one.kind === 'differs' || (one.kind === 'wider' && !isLeft(one)));
  const lines = change.length === 0 ? [] : await update(work, change);
  const fixed = found.filter(({ kind }) => kind === 'fixed');
  const wider = found.filter(isLeft);
  return [
    ...lines,
    ...fixed.map(({ text }) => `cannot change: ${text}; the server allows it only for a new one`),
    ...wider.map(
      ({ text }) =>
        `left wider: ${text}; narrowing may delete events and is done only when asked for (callctl provision --narrow)`,
    ),
  ];
}

async function create(work: Work, narrow: boolean): Promise<string[]> {
  try {
    await work.create();
    return [`${work.where}: created`];
  } catch (error) {
    // Another provision was faster, with an older configuration; now it exists and can be updated.
    if (apiErrorNumber(error) === API_ERRORS.consumerExists) return provisionOne(work, narrow);
    return [`cannot create ${work.where}: ${describeBrokerFailure(error)}`];
  }
}

async function update(work: Work, change: readonly Difference[]): Promise<string[]> {
  const fields = change.flatMap(({ field }) => (field === null ? [] : [[field, work.config[field]] as const]));
  try {
    await work.update(Object.fromEntries(fields));
    return change.map(({ text }) => `changed: ${text}`);
  } catch (error) {
    const reason = describeBrokerFailure(error);
    return change.map(({ text }) => `cannot change: ${text}; the server says: ${reason}`);
  }
}

function streamWork(connection: Connection, spec: StreamSpec): Work {
  const { streams } = connection.jsm;
  return {
    where: spec.name,
    config: { ...spec.config },
    compare: () => compareStream(connection, spec),
    create: () => streams.add({ ...spec.config, name: spec.name }),
    update: (change) => streams.update(spec.name, change),
  };
}

function consumerWork(connection: Connection, spec: ConsumerSpec): Work {
  const { consumers } = connection.jsm;
  return {
    where: `${spec.stream}/${spec.name}`,
    config: { ...spec.config },
    compare: () => compareConsumer(connection, spec),
    create: () => consumers.add(spec.stream, { ...spec.config, durable_name: spec.name }),
    update: (change) => consumers.update(spec.stream, spec.name, change),
  };
}
