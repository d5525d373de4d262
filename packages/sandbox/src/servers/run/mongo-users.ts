import { type Db, MongoServerError } from 'mongodb';
import type { ServerUser } from './running-server.ts';

/** A user of MongoDB with one built-in role per database, e.g. `{ calls: 'readWrite', settings: 'read' }`. */
export type MongoUser = ServerUser & { readonly roles: Readonly<Record<string, 'read' | 'readWrite' | 'dbAdmin'>> };

/** Server code for a name that is taken in `createUser`. */
const USER_EXISTS = 51_003;

/** Makes the user who may do everything, or sets its password. */
export async function putRoot(admin: Db, root: ServerUser): Promise<void> {
  await putUser(admin, root, [{ role: 'root', db: 'admin' }]);
}

/** Makes the users, or sets password and roles of those already there; one after another. Gives the names of the new ones. */
export async function putUsers(admin: Db, users: readonly MongoUser[]): Promise<string[]> {
  const made: string[] = [];
  for (const user of users) {
    const roles = Object.entries(user.roles).map(([db, role]) => ({ role, db }));
    if (await putUser(admin, user, roles)) made.push(user.user);
  }
  return made;
}

async function putUser(admin: Db, { user, password }: ServerUser, roles: readonly object[]): Promise<boolean> {
  try {
    await admin.command({ createUser: user, pwd: password, roles });
    return true;
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== USER_EXISTS) throw error;
    await admin.command({ updateUser: user, pwd: password, roles });
    return false;
  }
}
