import { setTimeout as wait } from 'node:timers/promises';
import type { ServerProcess } from './server-process.ts';

/** From the start of a server to its first answer, ms: some seconds on a busy machine, more with much to recover. */
const READY_DEADLINE_MS = 60_000;
const POLL_MS = 25;

/**
 * Resolves when `probe` got a right answer and the process is still there; the probe may reject as often as it likes until
 * the deadline. Otherwise ends the process and rejects with its last words.
 */
export async function untilReady(
  name: string,
  server: ServerProcess,
  probe: (signal: AbortSignal) => Promise<void>,
  deadlineMs = READY_DEADLINE_MS,
): Promise<void> {
  const signal = AbortSignal.timeout(deadlineMs);
  let trouble: unknown;
  while (server.isAlive() && !signal.aborted) {
    try {
      await probe(signal);
      if (server.isAlive()) return;
    } catch (error) {
      trouble = error;
    }
    await wait(POLL_MS);
  }
  const why = server.isAlive() ? `did not answer within ${deadlineMs / 1_000} s` : 'ended at once';
  await server.kill();
  throw new Error(`${name} ${why}: ${server.output().slice(-600) || 'it wrote nothing'}`, { cause: trouble });
}
