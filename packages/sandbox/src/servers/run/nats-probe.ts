import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { ServerUser } from './running-server.ts';

/** What a NATS server says of itself in the first line it sends. */
export type NatsGreeting = { readonly serverName: string; readonly version: string; readonly jetstream: boolean };

/** `greetingOnly`: do not sign in, as is right for a server that goes on with TLS after the greeting. */
export type NatsLogin = { readonly user: ServerUser | null; readonly greetingOnly?: boolean };

const ATTEMPT_LIMIT_MS = 2_000;

/**
 * Connects, reads the greeting, signs in and waits for the answer to a PING.
 * Rejects when the server is not there, is no NATS server, refuses the user, or stays silent for 2 s or until `signal`.
 */
export async function probeNats(
  address: { readonly host: string; readonly port: number },
  login: NatsLogin,
  signal: AbortSignal,
): Promise<NatsGreeting> {
  const socket = connect({ ...address, signal: AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_LIMIT_MS)]) });
  const failed = new Promise<never>((_, reject) => {
    socket.once('error', (error) => reject(signal.aborted || error.name === 'AbortError' ? silent() : error));
    socket.once('close', () => reject(new Error('it closed the connection')));
  });
  failed.catch(() => {});
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => (await Promise.race([lines.next(), failed])).value ?? '';
  try {
    const greeting = parseGreeting(await nextLine());
    if (login.greetingOnly) return greeting;
    const { user } = login;
    const words = { verbose: false, pedantic: false, ...(user && { user: user.user, pass: user.password }) };
    socket.write(`CONNECT ${JSON.stringify(words)}\r\nPING\r\n`);
    const answer = await nextLine();
    if (!answer.startsWith('PONG')) throw new Error(`it answered ${answer.trim() || 'nothing'}`);
    return greeting;
  } finally {
    socket.destroy();
  }
}

function silent(): Error {
  return new Error('it did not answer in time');
}

function parseGreeting(line: string): NatsGreeting {
  const said = line.startsWith('INFO ') ? parseObject(line.slice('INFO '.length)) : {};
  const { server_name: serverName, version, jetstream } = said;
  if (typeof version !== 'string') throw new Error('it is no NATS server');
  return { serverName: typeof serverName === 'string' ? serverName : '', version, jetstream: jetstream === true };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text);
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
