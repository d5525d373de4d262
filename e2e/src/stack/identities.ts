import { randomBytes } from 'node:crypto';
import { DATABASE_ROLES, IDENTITIES, type Identity } from '@pipeline/contracts';
import { brokerPermissions } from '@pipeline/messaging';
import type { MongoUser, NatsUser } from '@pipeline/sandbox/servers';

/** What every process of the stack connects with: one user per identity, on the broker and on the database. */
export type Credentials = Readonly<Record<Identity, { readonly user: string; readonly password: string }>>;

/** Fresh users with random passwords. */
export function createCredentials(): Credentials {
  const entries = IDENTITIES.map((identity) => [
    identity,
    { user: identity, password: randomBytes(18).toString('base64url') },
  ]);
  return Object.fromEntries(entries) as Credentials; // fromEntries loses the keys
}

/** The broker's users, each with no more rights than its service needs. */
export function brokerUsers(credentials: Credentials): NatsUser[] {
  const permissions = brokerPermissions();
  return IDENTITIES.map((identity) => ({ ...credentials[identity], permissions: permissions[identity] }));
}

/** The database's users with their roles per database, `prefix` before each name. One writer per database is enforced by them. */
export function databaseUsers(credentials: Credentials, prefix: string): MongoUser[] {
  return IDENTITIES.map((identity) => ({
    ...credentials[identity],
    roles: Object.fromEntries(
      Object.entries(DATABASE_ROLES[identity]).map(([name, role]) => [`${prefix}${name}`, role]),
    ),
  }));
}
