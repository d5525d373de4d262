import { setTimeout as wait } from 'node:timers/promises';
import type { ServerProcess } from './server-process.ts';

/** How long a server may take from its start to its first answer, ms: seconds on a busy machine, more with much to recover. */
export const READY_DEADLINE_MS = 60_000;
const POLL_MS = 40;

/**
 * Resolves when `probe` got a right answer and the process is still there; the probe may reject as often as it likes until
 * the deadline. Rejects with the server's own last words when it ended or stayed deaf, after ending it.
 */
export async function untilReady(
  name: string,
  server: ServerProcess,
  probe: (signal: AbortSignal) => Promise<void>,
  deadlineMs = READY_DEADLINE_MS,
): Promise<void> {
  const signal = AbortSignal.timeout(deadlineMs);
  let last: unknown;
  while (server.isAlive() && !signal.aborted) {
    try {
      await probe(signal);
      if (server.isAlive()) return;
    } catch (error) {
      last = error;
    }
    await wait(POLL_MS);
  }
  const ended = !server.isAlive();
  await server.kill();
  const why = ended ? 'ended at once' : `did not answer within ${deadlineMs / 1_000} s`;
  throw new Error(`${name} ${why}: ${server.output() || 'it wrote nothing'}`, { cause: last });
}
