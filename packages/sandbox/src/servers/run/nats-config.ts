import type { ServerUser } from './running-server.ts';

/** A user of NATS and the subjects it may publish and subscribe to; without permissions it may everything. */
export type NatsUser = ServerUser & {
  readonly permissions?: { readonly publish: readonly string[]; readonly subscribe: readonly string[] };
};

export type NatsConfig = {
  readonly serverName: string;
  readonly port: number;
  readonly monitorPort: number;
  readonly storeFolder: string;
  readonly users: readonly NatsUser[];
  /** Largest message, bytes. */
  readonly maxPayload: number;
  /** Largest total of file storage, bytes. */
  readonly maxFileStore: number;
};

/** The configuration file of one NATS server: JetStream on files, loopback only, users with allow-lists. */
export function natsConfig(config: NatsConfig): string {
  const text = {
    server_name: config.serverName,
    listen: `127.0.0.1:${config.port}`,
    http: `127.0.0.1:${config.monitorPort}`,
    max_payload: config.maxPayload,
    jetstream: {
      store_dir: config.storeFolder,
      max_memory_store: 64 * 1024 * 1024,
      max_file_store: config.maxFileStore,
    },
    ...(config.users.length > 0 && { authorization: { users: config.users.map(userBlock) } }),
  };
  // The server's format is a superset of JSON.
  return `${JSON.stringify(text, null, 2)}\n`;
}

function userBlock(user: NatsUser): object {
  const { permissions } = user;
  const limits = permissions && {
    publish: { allow: permissions.publish },
    subscribe: { allow: permissions.subscribe },
  };
  return { user: user.user, password: user.password, ...(limits && { permissions: limits }) };
}
