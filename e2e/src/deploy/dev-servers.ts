import { DATABASE_ROLES, IDENTITIES } from '@pipeline/contracts';
import { brokerPermissions } from '@pipeline/messaging';

/** `nats/users.conf` as it should be: each identity with its allow-lists, its password out of the environment. */
export function natsUsersFile(): string {
  const permissions = brokerPermissions();
  const users = IDENTITIES.map((identity) => {
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
  const roles = IDENTITIES.filter((identity) => Object.keys(DATABASE_ROLES[identity]).length > 0);
  return `${JSON.stringify(Object.fromEntries(roles.map((identity) => [identity, DATABASE_ROLES[identity]])), null, 2)}\n`;
}
