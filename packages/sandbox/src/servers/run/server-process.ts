import { setTimeout as wait } from 'node:timers/promises';
import { type GuardedCommand, startGuarded } from './guarded-process.ts';

/** One running server program. */
export type ServerProcess = {
  readonly pid: number;
  /** False from the moment the program has ended. */
  isAlive(): boolean;
  /** The last lines it wrote, for error messages. */
  output(): string;
  /** SIGTERM, SIGKILL after `graceMs`; resolves when it has ended. */
  end(graceMs: number): Promise<void>;
  /** SIGKILL; resolves when it has ended. */
  kill(): Promise<void>;
  /** Resolves when it has ended, with its exit code, or `null` after a signal. */
  readonly ended: Promise<number | null>;
};

/** Starts a server, or a service of the local stack. Resolves when it runs, not when it is ready; rejects when it cannot be started. */
export async function startProcess(command: GuardedCommand): Promise<ServerProcess> {
  const program = await startGuarded(command);
  const kill = async (): Promise<void> => {
    program.kill();
    await program.ended;
  };
  const end = async (graceMs: number): Promise<void> => {
    const ended = new AbortController();
    program.terminate();
    await Promise.race([program.ended, wait(graceMs, undefined, { signal: ended.signal }).then(kill, () => {})]);
    ended.abort();
  };
  return { pid: program.pid, isAlive: program.isAlive, output: program.output, end, kill, ended: program.ended };
}
