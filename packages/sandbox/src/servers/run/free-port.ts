import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the ports which the system gives to outgoing connections (Linux from 32768, macOS from 49152): a client that
 * reconnects to a stopped server on such a port can end up connected to itself and keep the port taken.
 */
const LOWEST = 18_000;
const HIGHEST = 32_000;
const ATTEMPTS = 4;

/**
 * Starts something on free TCP ports of 127.0.0.1. Between finding a port free and listening on it somebody else can take
 * it: when `start` rejects and one of its ports is taken, it is tried again on others.
 */
export async function onFreePorts<T>(
  count: number,
  start: (ports: readonly number[]) => Promise<T>,
): Promise<{ readonly ports: readonly number[]; readonly started: T }> {
  for (let attempt = 1; ; attempt += 1) {
    const ports = await Promise.all(Array.from({ length: count }, freePort));
    try {
      return { ports, started: await start(ports) };
    } catch (error) {
      const free = await Promise.all(ports.map(isFree));
      if (attempt === ATTEMPTS || free.every(Boolean)) throw error;
    }
  }
}

async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${LOWEST} and ${HIGHEST} on 127.0.0.1`);
}

/** Whether nobody listens on this port of 127.0.0.1 at this moment. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
