import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { ServerUser } from './running-server.ts';

/** What a NATS server says of itself in the first line it sends. */
export type NatsGreeting = { readonly serverName: string; readonly version: string; readonly jetstream: boolean };

/**
 * Connects, reads the greeting, signs in and waits for the answer to a PING.
 * Rejects when the server is not there, is no NATS server, refuses the user or stays silent until `signal`.
 */
export async function probeNats(
  address: { readonly host: string; readonly port: number },
  user: ServerUser | undefined,
  signal: AbortSignal,
): Promise<NatsGreeting> {
  const socket = connect({ ...address, signal: AbortSignal.any([signal, AbortSignal.timeout(2_000)]) });
  const failed = new Promise<never>((_, reject) => {
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the server closed the connection')));
  });
  failed.catch(() => {});
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => String((await Promise.race([lines.next(), failed])).value);
  try {
    const greeting = parseGreeting(await nextLine());
    const login = { verbose: false, pedantic: false, ...(user && { user: user.user, pass: user.password }) };
    socket.write(`CONNECT ${JSON.stringify(login)}\r\nPING\r\n`);
    const answer = await nextLine();
    if (!answer.startsWith('PONG')) throw new Error(`the server answered ${answer.trim()}`);
    return greeting;
  } finally {
    socket.destroy();
  }
}

function parseGreeting(line: string): NatsGreeting {
  if (!line.startsWith('INFO ')) throw new Error('this is no NATS server');
  const said: unknown = JSON.parse(line.slice('INFO '.length));
  if (typeof said !== 'object' || said === null) throw new Error('this is no NATS server');
  const { server_name: serverName, version, jetstream } = said as Record<string, unknown>; // every field is checked below
  if (typeof version !== 'string') throw new Error('this is no NATS server');
  return { serverName: typeof serverName === 'string' ? serverName : '', version, jetstream: jetstream === true };
}
