import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the ports which the system gives to outgoing connections (Linux from 32768, macOS from 49152): a client that
 * reconnects to a stopped server on such a port can end up connected to itself and keep the port taken.
 */
const LOWEST = 18_000;
const HIGHEST = 32_000;

/** A TCP port of 127.0.0.1 that nobody listens on at this moment. Another process can still take it first: callers try again. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${LOWEST} and ${HIGHEST} on 127.0.0.1`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
