import { type Db, MongoServerError } from 'mongodb';
import type { ServerUser } from './running-server.ts';

/** A user of MongoDB with one built-in role per database, e.g. `{ calls: 'readWrite', settings: 'read' }`. */
export type MongoUser = ServerUser & { readonly roles: Readonly<Record<string, 'read' | 'readWrite' | 'dbAdmin'>> };

/** Server code for a name that is taken in `createUser`. */
const USER_EXISTS = 51_003;

/** Makes the users in the admin database, or sets password and roles of those already there. One after another. */
export async function putUsers(admin: Db, root: ServerUser | undefined, users: readonly MongoUser[]): Promise<void> {
  if (root) await putUser(admin, root, [{ role: 'root', db: 'admin' }]);
  for (const user of users) {
    const roles = Object.entries(user.roles).map(([db, role]) => ({ role, db }));
    await putUser(admin, user, roles);
  }
}

async function putUser(admin: Db, { user, password }: ServerUser, roles: readonly object[]): Promise<void> {
  try {
    await admin.command({ createUser: user, pwd: password, roles });
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== USER_EXISTS) throw error;
    await admin.command({ updateUser: user, pwd: password, roles });
  }
}
