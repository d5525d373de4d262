import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Environment variables as the launchers read them; only the names of {@link SERVER_VARIABLES}, PATH and XDG_CACHE_HOME matter. */
export type ServerEnvironment = Readonly<Record<string, string | undefined>>;

/** What the variables that steer the launchers are for; `pnpm servers --help` prints this table. */
export const SERVER_VARIABLES = {
  PIPELINE_NATS_URL: 'a NATS server that already runs (2.10 or newer, JetStream on), e.g. nats://127.0.0.1:4222',
  PIPELINE_NATS_USER: 'its user; every identity of the pipeline connects with this one',
  PIPELINE_NATS_PASSWORD: 'its password',
  PIPELINE_MONGO_URL: 'a MongoDB that already runs, without user and password, e.g. mongodb://127.0.0.1:27017/',
  PIPELINE_MONGO_USER: 'a user of its admin database who may create users',
  PIPELINE_MONGO_PASSWORD: 'its password',
  PIPELINE_CACHE_DIR: 'where downloaded and built servers are kept; default <user cache>/perfect-call-pipeline',
} as const;

/**
 * The environment of this process.
 *
 * The one place below `main.ts` that reads it: every test of every package starts servers, the cache must be the same for
 * all of them, and a test has no `main.ts` that could hand it down. Programs pass their own environment instead.
 */
export function serverEnvironment(): ServerEnvironment {
  // oxlint-disable-next-line node/no-process-env -- see above: tests have no main.ts
  return { ...process.env };
}

/** The folder of downloaded and built servers: absolute, shared by all checkouts of this user, perhaps not there yet. */
export function cacheFolder(environment: ServerEnvironment): string {
  const own = environment['PIPELINE_CACHE_DIR']?.trim();
  if (own) return resolve(own);
  const shared = environment['XDG_CACHE_HOME']?.trim();
  return join(shared?.startsWith('/') ? shared : join(homedir(), '.cache'), 'perfect-call-pipeline');
}
