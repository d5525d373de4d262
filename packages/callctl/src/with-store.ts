import { connectStore, type Store } from '@pipeline/call-store/settings';
import type { SettingsKey } from '@pipeline/call-store/settings-secrets';
import { parseConfig } from '@pipeline/runtime';
import type { z } from 'zod';
import { sealingSchema, storeSchema } from './config.ts';
import { createProgressLogger } from './progress-logger.ts';
import { CommandError, type Context } from './verb.ts';

/** Runs work on a connection to the databases and closes it. Throws a CommandError when there is none within five seconds. */
export async function withStore<T>(context: Context, work: (store: Store) => Promise<T>): Promise<T> {
  return withStoreOf(parseConfig(storeSchema, context.environment), work);
}

/** {@link withStore} for verbs that store secrets: with the keys that seal them. */
export async function withSealing<T>(
  context: Context,
  work: (store: Store, keys: readonly SettingsKey[]) => Promise<T>,
): Promise<T> {
  const config = parseConfig(sealingSchema, context.environment);
  return withStoreOf(config, (store) => work(store, config.SETTINGS_KEYS));
}

/** {@link withStore} with a configuration that was read already. */
export async function withStoreOf<T>(
  config: z.infer<typeof storeSchema>,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  // What its logger would say of a server that is away is in the error below.
  const store = await connectStore({ config, instance: 'callctl', logger: createProgressLogger(() => {}) });
  try {
    const state = store.readiness();
    if (!state.ok)
      throw new CommandError(
        `MongoDB at ${config.MONGO_URL}: ${state.reason}. Check MONGO_URL, MONGO_USER and MONGO_PASSWORD, and that the server runs.`,
      );
    return await work(store);
  } finally {
    await store.close();
  }
}
