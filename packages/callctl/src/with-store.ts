import { connectStore, type Store } from '@pipeline/call-store/settings';
import { parseConfig } from '@pipeline/runtime';
import { storeSchema } from './config.ts';
import { createProgressLogger } from './progress-logger.ts';
import { CommandError, type Context } from './verb.ts';

/** Runs work on a connection to the databases and closes it. Throws a CommandError when there is none within five seconds. */
export async function withStore<T>(context: Context, work: (store: Store) => Promise<T>): Promise<T> {
  const config = parseConfig(storeSchema, context.environment);
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
