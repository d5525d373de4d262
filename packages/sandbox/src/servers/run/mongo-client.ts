import { connect } from 'node:net';
import { MongoClient } from 'mongodb';
import type { ServerUser } from './running-server.ts';

const ATTEMPT_LIMIT_MS = 5_000;
const COMMAND_LIMIT_MS = 20_000;

/** Connects, works and closes. `user` signs in against the admin database. Rejects with the driver's error. */
export async function withMongo<T>(
  url: string,
  user: ServerUser | null,
  work: (client: MongoClient) => Promise<T>,
): Promise<T> {
  const client = new MongoClient(url, {
    ...(user && { auth: { username: user.user, password: user.password }, authSource: 'admin' }),
    serverSelectionTimeoutMS: ATTEMPT_LIMIT_MS,
    connectTimeoutMS: ATTEMPT_LIMIT_MS,
    socketTimeoutMS: COMMAND_LIMIT_MS,
    maxPoolSize: 1,
  });
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.close(true);
  }
}

/** Resolves when somebody listens on this port of 127.0.0.1. The driver would look only twice a second. */
export function untilListening(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: ATTEMPT_LIMIT_MS });
    socket.once('error', reject);
    socket.once('timeout', () => socket.destroy(new Error(`nothing answers on port ${port}`)));
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}
