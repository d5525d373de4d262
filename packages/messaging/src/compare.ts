import { millis } from 'nats';
import { isNotFound } from './broker-error.ts';
import type { Connection } from './connection.ts';
import type { ConsumerSpec, StreamSpec, Topology } from './topology.ts';

/**
 * One deviation of the broker from what is expected. `missing`: it is not there. `wider`: it keeps more or longer than configured,
 * which harms nobody. `fixed`: the server cannot change this field of an existing stream or consumer.
 */
export type Difference = {
  /** `CALL_ENDED` or `CALL_ENDED/transcriber`. */
  readonly where: string;
  readonly kind: 'missing' | 'differs' | 'wider' | 'fixed';
  readonly field: string | null;
  /** The whole deviation as a sentence without secrets. */
  readonly text: string;
};

type Fields = Readonly<Record<string, unknown>>;

/**
 * More than expected is fine for these: nothing that a service relies on is lost, and what was raised for the next release does not
 * stop the pods of this one. 0 and below mean without limit.
 */
const AT_LEAST = new Set(['max_bytes', 'max_age', 'duplicate_window', 'max_ack_pending']);
/** JetStream refuses to change these [measured for consumers, documented for streams]. */
const FIXED = new Set(['storage', 'retention', 'ack_policy', 'deliver_policy', 'max_waiting']);
const DURATIONS = new Set(['max_age', 'duplicate_window', 'ack_wait']);

/** Everything in which the broker deviates from a topology, `wider` included. Throws what the broker throws. */
export async function compareTopology(connection: Connection, topology: Topology): Promise<Difference[]> {
  const found: Difference[] = [];
  for (const spec of topology.streams) found.push(...(await compareStream(connection, spec)));
  for (const spec of topology.consumers) found.push(...(await compareConsumer(connection, spec)));
  return found;
}

/** How one stream or bucket deviates; empty when it is as expected. */
export async function compareStream({ jsm, clock }: Connection, spec: StreamSpec): Promise<Difference[]> {
  const actual = await orMissing(jsm.streams.info(spec.name));
  clock.note(actual?.ts);
  return actual === null ? [missing(spec.name)] : compareFields(spec.name, spec.config, { ...actual.config });
}

/** How one durable consumer deviates; empty when it is as expected. A missing stream counts as a missing consumer. */
export async function compareConsumer({ jsm, clock }: Connection, spec: ConsumerSpec): Promise<Difference[]> {
  const where = `${spec.stream}/${spec.name}`;
  const actual = await orMissing(jsm.consumers.info(spec.stream, spec.name));
  clock.note(actual?.ts);
  return actual === null ? [missing(where)] : compareFields(where, spec.config, { ...actual.config });
}

/**
 * Compares only the fields that are expected: the server fills in defaults and metadata of its own. Pure.
 * Lists are compared as sets: the order of subjects means nothing.
 */
export function compareFields(where: string, expected: Fields, actual: Fields): Difference[] {
  return Object.entries(expected)
    .filter(([field, value]) => canonical(actual[field]) !== canonical(value))
    .map(([field, value]) => {
      const text = `${where} ${field} is ${show(field, actual[field])}, expected ${show(field, value)}`;
      return { where, field, text, kind: kindOf(field, value, actual[field]) };
    });
}

function kindOf(field: string, expected: unknown, actual: unknown): Difference['kind'] {
  if (FIXED.has(field)) return 'fixed';
  return AT_LEAST.has(field) && limit(actual) > limit(expected) ? 'wider' : 'differs';
}

function limit(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : Infinity;
}

async function orMissing<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}

function missing(where: string): Difference {
  return { where, kind: 'missing', field: null, text: `${where} is missing` };
}

function canonical(value: unknown): string {
  return JSON.stringify(Array.isArray(value) ? value.map(String).toSorted() : (value ?? null));
}

function show(field: string, value: unknown): string {
  if (typeof value !== 'number') return JSON.stringify(value ?? null);
  return DURATIONS.has(field) ? `${millis(value) / 1_000} s` : String(value);
}
