import { isDeepStrictEqual } from 'node:util';
import mongoose, { type Connection } from 'mongoose';
import type { Database } from '@pipeline/contracts';
import { inTime } from './in-time.ts';

/** One index as it should be. `expireAfterSeconds` makes the server remove documents that long after the date of the key. */
export type IndexPlan = {
  readonly name: string;
  readonly key: Readonly<Record<string, 1 | -1>>;
  readonly unique?: true;
  readonly expireAfterSeconds?: number;
  readonly partialFilterExpression?: Readonly<Record<string, unknown>>;
};

/** One collection with its indexes; the index on `_id` is always there. */
export type CollectionPlan = {
  readonly database: Database;
  readonly name: string;
  readonly indexes: readonly IndexPlan[];
  /** Names of indexes that only older releases use. */
  readonly retired?: readonly string[];
};

export type ProvisionOptions = {
  /** Removes indexes that only older releases use, whose processes would miss them. Default false: they are only told. */
  readonly retire?: boolean;
};

type Connections = (database: Database) => Connection;
type FoundIndex = { readonly name?: unknown } & Record<string, unknown>;

/** A build over many documents may take longer: it goes on in the server, and the next run of `provision` finds it done. */
const INDEX_DEADLINE_MS = 30_000;
const UNUSED = 'only older releases use it; when none runs any more: callctl provision --retire';
const NAMESPACE_NOT_FOUND = 26;
const NAMESPACE_EXISTS = 48;

/**
 * Makes the collections and indexes of the plans, strictly one after another (one of the servers for a single machine hangs
 * otherwise), and answers with one line for each. What is right already is left alone. An index that differs is made again; its
 * documents stay. Indexes that are retired go when `options` say so. Nothing else is ever removed.
 */
export async function provisionCollections(
  plans: readonly CollectionPlan[],
  connections: Connections,
  options: ProvisionOptions,
  signal: AbortSignal,
): Promise<string[]> {
  const lines: string[] = [];
  for (const plan of plans) {
    lines.push(`${plan.database}.${plan.name}: ${await makeCollection(plan, connections, signal)}`);
    for (const index of plan.indexes) {
      lines.push(`${plan.database}.${plan.name}.${index.name}: ${await makeIndex(plan, index, connections, signal)}`);
    }
    for (const name of await retiredOf(plan, connections, signal)) {
      const words = options.retire === true ? await removeIndex(plan, name, connections, signal) : UNUSED;
      lines.push(`${plan.database}.${plan.name}.${name}: ${words}`);
    }
  }
  return lines;
}

/** What is missing or different, one phrase each; empty when all is as planned. */
export async function compareCollections(
  plans: readonly CollectionPlan[],
  connections: Connections,
  signal: AbortSignal,
): Promise<string[]> {
  const problems: string[] = [];
  for (const plan of plans) {
    const found = await findIndexes(plan, connections, signal);
    if (found === null) problems.push(`${plan.database}.${plan.name} is missing`);
    for (const index of found === null ? [] : plan.indexes) {
      const same = found?.find((candidate) => candidate.name === index.name);
      const problem = same === undefined ? 'is missing' : isAsPlanned(same, index) ? null : 'differs';
      if (problem !== null) problems.push(`index ${plan.database}.${plan.name}.${index.name} ${problem}`);
    }
  }
  return problems;
}

async function makeCollection(plan: CollectionPlan, connections: Connections, signal: AbortSignal): Promise<string> {
  if ((await findIndexes(plan, connections, signal)) !== null) return 'unchanged';
  return inTime('create a collection', signal, async () => {
    try {
      await connections(plan.database).createCollection(plan.name);
      return 'created';
    } catch (error) {
      if (codeOf(error) === NAMESPACE_EXISTS) return 'unchanged';
      throw error;
    }
  });
}

async function makeIndex(
  plan: CollectionPlan,
  index: IndexPlan,
  connections: Connections,
  signal: AbortSignal,
): Promise<string> {
  const found = await findIndexes(plan, connections, signal);
  const present = found?.find((candidate) => candidate.name === index.name);
  if (present !== undefined && isAsPlanned(present, index)) return 'unchanged';
  const collection = connections(plan.database).collection(plan.name);
  const { key, ...options } = index;
  if (present !== undefined) await inTime('drop an index', signal, () => collection.dropIndex(index.name));
  await inTime('create an index', signal, () => collection.createIndex({ ...key }, { ...options }), INDEX_DEADLINE_MS);
  return present === undefined ? 'created' : 'made again';
}

/** The names of the retired indexes that are there. */
async function retiredOf(plan: CollectionPlan, connections: Connections, signal: AbortSignal): Promise<string[]> {
  if (plan.retired === undefined) return [];
  const names = (await findIndexes(plan, connections, signal))?.map(({ name }) => name) ?? [];
  return plan.retired.filter((name) => names.includes(name));
}

async function removeIndex(plan: CollectionPlan, name: string, connections: Connections, signal: AbortSignal) {
  const collection = connections(plan.database).collection(plan.name);
  await inTime('drop an index', signal, () => collection.dropIndex(name));
  return 'removed';
}

/** The indexes of a collection, or null when there is no such collection. */
async function findIndexes(
  plan: CollectionPlan,
  connections: Connections,
  signal: AbortSignal,
): Promise<FoundIndex[] | null> {
  return inTime('list indexes', signal, async () => {
    try {
      return await connections(plan.database).collection(plan.name).listIndexes().toArray();
    } catch (error) {
      if (codeOf(error) === NAMESPACE_NOT_FOUND) return null;
      throw error;
    }
  });
}

function isAsPlanned(found: FoundIndex, plan: IndexPlan): boolean {
  return (
    isDeepStrictEqual(Object.entries({ ...Object(found['key']) }), Object.entries(plan.key)) &&
    (found['unique'] ?? false) === (plan.unique ?? false) &&
    found['expireAfterSeconds'] === plan.expireAfterSeconds &&
    isDeepStrictEqual(found['partialFilterExpression'], plan.partialFilterExpression)
  );
}

function codeOf(error: unknown): unknown {
  return error instanceof mongoose.mongo.MongoServerError ? error.code : undefined;
}
