import { Mongoose, type Connection } from 'mongoose';
import type { Database } from '@pipeline/contracts';
import { compareCollections, type CollectionPlan } from './collections.ts';
import { inTime } from './in-time.ts';
import { databaseName, driverOptions, type StoreConfig } from './options.ts';
import { startWatch } from './watch.ts';

/** Where the store writes what an operator should know. The runtime's logger fits. */
export type StoreLog = {
  info(fields: { readonly reason?: string; readonly difference?: readonly string[] }, message: string): void;
  warn(fields: { readonly reason?: string; readonly err?: unknown }, message: string): void;
};

/** One condition of readiness; the runtime's shape. */
export type StoreReadiness = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** A connection to the three databases. What it can do is made from it by the functions of the entry points. */
export type Store = {
  /** The present state, from a background ping: never waits. Unready too while a collection or an index is missing. */
  readiness(): StoreReadiness;
  /** Stops the background work and closes the sockets. Operations in flight fail. */
  close(): Promise<void>;
};

/** What the entry points of this package work with; nobody outside can reach it. */
export type StoreInternals = {
  readonly logger: StoreLog;
  connection(database: Database): Connection;
  /** Makes the store unready until these collections and their indexes are there. */
  expect(plans: readonly CollectionPlan[]): void;
};

/** Milliseconds that one ping may take. */
const PING_DEADLINE_MS = 2_000;
/** Milliseconds between two looks at collections that were found complete. */
const COMPARE_INTERVAL_MS = 60_000;

/**
 * Our own instance: what it is told here also holds for connections and models made before the server was first reached.
 * `sanitizeFilter` turns operators that slip into a filter's values into plain (and failing) equality.
 */
const odm = new Mongoose({
  autoCreate: false,
  autoIndex: false,
  bufferCommands: false,
  sanitizeFilter: true,
  strictQuery: 'throw',
});

const internals = new WeakMap<Store, StoreInternals>();

/**
 * Connects to MongoDB and keeps the connection for ever. Resolves after the first try, at the latest after five seconds,
 * whether it worked or not: a server that is down at boot leaves the store unready, and the background goes on trying.
 */
export async function connectStore(options: {
  readonly config: StoreConfig;
  /** Name of this process among its replicas; the server shows it. */
  readonly instance: string;
  readonly logger: StoreLog;
}): Promise<Store> {
  const { config, logger, instance } = options;
  const root = odm.createConnection();
  const closing = new AbortController();
  const plans: CollectionPlan[] = [];
  const connection = (database: Database): Connection =>
    root.useDb(databaseName(config.MONGO_DB_PREFIX, database), { useCache: true });
  let comparedAt = Number.NEGATIVE_INFINITY;

  const look = async (wasReady: boolean): Promise<StoreReadiness> => {
    if (!isOpen(root)) await open(root, config, instance);
    await inTime('ping', closing.signal, () => root.getClient().db('admin').command({ ping: 1 }), PING_DEADLINE_MS);
    if (wasReady && performance.now() - comparedAt < COMPARE_INTERVAL_MS) return { ok: true };
    const problems = await compareCollections(plans, connection, closing.signal);
    comparedAt = performance.now();
    return problems.length === 0 ? { ok: true } : { ok: false, reason: `run provision: ${problems.join('; ')}` };
  };

  const watch = await startWatch({ look, reasonOf, logger, signal: closing.signal });
  const store: Store = {
    readiness: watch.readiness,
    close: async () => {
      closing.abort();
      await root.close(true);
      await watch.ended;
    },
  };
  const expect = (more: readonly CollectionPlan[]): void => {
    plans.push(...more.filter((plan) => !plans.includes(plan)));
    watch.doubt('collections are not compared yet');
  };
  internals.set(store, { logger, connection, expect });
  return store;
}

/** The inside of a store that {@link connectStore} made. Throws a TypeError for anything else. */
export function internalsOf(store: Store): StoreInternals {
  const found = internals.get(store);
  if (found === undefined) throw new TypeError('not a store made by connectStore');
  return found;
}

/** True once the first connection was made; after that the driver reconnects by itself. */
function isOpen(root: Connection): boolean {
  return root.db !== undefined;
}

/** One try to connect. A failed client is closed, or every try would leave its monitor behind. */
async function open(root: Connection, config: StoreConfig, instance: string): Promise<void> {
  try {
    await root.openUri(config.MONGO_URL, driverOptions(config, instance));
  } catch (error) {
    await root.getClient()?.close(true);
    throw error;
  }
}

/** What went wrong in words without secrets: drivers put host names and key values into their messages. */
function reasonOf(error: unknown): string {
  const chain = causes(error);
  const codes = chain.map((cause) => ('code' in cause ? cause.code : undefined));
  if (codes.includes(18)) return 'the server refuses user or password';
  if (codes.includes(13)) return 'the user may not do this';
  const names = chain.map((cause) => cause.name);
  if (names.some((name) => name.endsWith('ServerSelectionError'))) return 'no server answers';
  return `no connection (${names.at(-1) ?? 'unknown'})`;
}

function causes(error: unknown): Error[] {
  return error instanceof Error ? [error, ...causes(error.cause)] : [];
}
