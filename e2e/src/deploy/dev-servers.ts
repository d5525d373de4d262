import { DATABASE_ROLES, IDENTITIES, type Identity } from '@pipeline/contracts';
import { brokerPermissions } from '@pipeline/messaging';

/** Who has a user on the servers of the dev overlay: everybody but the reconciler, which is not deployed. */
const DEPLOYED_IDENTITIES: readonly Identity[] = IDENTITIES.filter((identity) => identity !== 'reconciler');

/** `nats/users.conf` as it should be: each identity with its allow-lists, its password out of the environment. */
export function natsUsersFile(): string {
  const permissions = brokerPermissions();
  const users = DEPLOYED_IDENTITIES.map((identity) => {
    const { publish, subscribe } = permissions[identity];
    const lines = [
      `      user: ${identity}`,
      `      password: $NATS_PASSWORD_${identity.toUpperCase().replaceAll('-', '_')}`,
      '      permissions: {',
      `        publish: {allow: ${JSON.stringify(publish)}}`,
      `        subscribe: {allow: ${JSON.stringify(subscribe)}}`,
      '      }',
    ];
    return ['    {', ...lines, '    }'].join('\n');
  });
  const about =
    '# Made from brokerPermissions() in packages/messaging; a test holds it. Passwords come from the environment.';
  return `${about}\nauthorization {\n  users: [\n${users.join('\n')}\n  ]\n}\n`;
}

/** `mongodb/roles.json` as it should be: the built-in roles of each identity that uses the database. */
export function mongoRolesFile(): string {
  const roles = DEPLOYED_IDENTITIES.filter((identity) => Object.keys(DATABASE_ROLES[identity]).length > 0);
  return `${JSON.stringify(Object.fromEntries(roles.map((identity) => [identity, DATABASE_ROLES[identity]])), null, 2)}\n`;
}
