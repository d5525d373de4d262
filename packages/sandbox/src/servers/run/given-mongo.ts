import type { GivenServer } from '../find/program.ts';
import { givenRunningServer } from './given-server.ts';
import { withMongo } from './mongo-client.ts';
import { type MongoUser, putUsers } from './mongo-users.ts';
import type { RunningServer, ServerUser } from './running-server.ts';

const DEFAULT_PORT = 27_017;

/**
 * Makes the pipeline's users on the given MongoDB, as the user of the environment; `stop` drops those that were not there before.
 * Rejects with one sentence when it cannot be reached or that user may not make users.
 */
export async function adoptMongo(
  given: GivenServer,
  root: ServerUser,
  users: readonly MongoUser[],
): Promise<RunningServer> {
  const signIn = given.user;
  const { version, made } = await withMongo(given.url, signIn, async (client) => {
    const admin = client.db('admin');
    const build = await admin.command({ buildInfo: 1 });
    return { version: String(build['version']), made: await putUsers(admin, users) };
  }).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`the MongoDB ${given.found} cannot be used: ${why}`, { cause: error });
  });
  const entries = users.map(({ user, password }): [string, ServerUser] => [user, { user, password }]);
  return givenRunningServer(given, {
    name: 'mongod',
    version,
    port: Number(new URL(given.url).port) || DEFAULT_PORT,
    users: Object.fromEntries([...entries, [root.user, signIn ?? root]]),
    stop: () =>
      withMongo(given.url, signIn, async (client) => {
        for (const user of made.splice(0)) await client.db('admin').command({ dropUser: user });
      }),
  });
}
