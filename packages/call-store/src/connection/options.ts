import type { ConnectOptions } from 'mongoose';
import type { Database } from '@pipeline/contracts';

/** Where the databases are: the parsed shape of the runtime's `storeVariables`. The user authenticates against `admin`. */
export type StoreConfig = {
  readonly MONGO_URL: string;
  readonly MONGO_USER: string;
  readonly MONGO_PASSWORD: string;
  readonly MONGO_DB_PREFIX: string;
};

/** The real name of a database. */
export function databaseName(prefix: string, database: Database): string {
  return `${prefix}${database}`;
}

/**
 * Every wait of the driver has an end; `inTime` puts one on the whole operation. Writes are acknowledged by a majority with its journal.
 */
export function driverOptions(config: StoreConfig, instance: string): ConnectOptions {
  return {
    user: config.MONGO_USER,
    pass: config.MONGO_PASSWORD,
    authSource: 'admin',
    appName: instance.slice(0, 120),
    writeConcern: { w: 'majority', journal: true },
    readPreference: 'primary',
    retryWrites: true,
    retryReads: true,
    ignoreUndefined: true,
    serverSelectionTimeoutMS: 5_000,
    connectTimeoutMS: 5_000,
    socketTimeoutMS: 30_000,
    waitQueueTimeoutMS: 5_000,
    heartbeatFrequencyMS: 5_000,
    maxPoolSize: 20,
    maxIdleTimeMS: 60_000,
  };
}
