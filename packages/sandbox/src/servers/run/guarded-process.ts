import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A program that ends with this process, whatever ends this process. */
export type GuardedProcess = {
  readonly pid: number;
  /** False from the moment the program has ended. */
  isAlive(): boolean;
  /** The end of what it wrote to stdout and stderr, at most 8 kB. */
  output(): string;
  /** Resolves when it has ended, with its exit code, or `null` after a signal. Never rejects. */
  readonly ended: Promise<number | null>;
  /** Asks the program to end in order. */
  terminate(): void;
  /** SIGKILL for the program and everything it started. */
  kill(): void;
};

export type GuardedCommand = {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment of the program; default this process's. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Removed if this process dies while the program runs. */
  readonly temporaryFolder?: string | undefined;
  /** Gets everything that it writes, as it comes. */
  readonly onOutput?: (chunk: Buffer) => void;
};

const OUTPUT_CHARACTERS = 8_192;
const LAST_OUTPUT_MS = 500;
/** How long an abandoned program may take to end in order, seconds. */
const ABANDONED_GRACE_SECONDS = 4;

/**
 * Holds a pipe that only this process can write to. End of file means that this process died, even by SIGKILL: then the
 * program's process group ($1) is ended and its temporary folder ($2) removed. A line means that the program has ended.
 */
const WATCHDOG = `
read -r line && exit 0
kill -TERM "$1" 2>/dev/null
left=${ABANDONED_GRACE_SECONDS}
while [ "$left" -gt 0 ] && kill -0 "$1" 2>/dev/null; do sleep 1; left=$((left - 1)); done
kill -KILL "-$1" 2>/dev/null
if [ -n "$2" ]; then sleep 1; rm -rf -- "$2"; fi
`;

/**
 * Starts a program in a process group of its own, so that Ctrl-C in the terminal reaches us and not the program: services
 * stop first, servers last. Resolves when it runs (not when it is ready); rejects when it cannot be started.
 */
export async function startGuarded(command: GuardedCommand): Promise<GuardedProcess> {
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    ...(command.environment && { env: { ...command.environment } }),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = keepTail(child, command.onOutput);
  const { pid } = child;
  if (pid === undefined) throw await startFailure(child, command.file);
  // In the same tick: a process that dies between the two would leave the program behind.
  const watchdog = watch(pid, command.temporaryFolder);
  const ended = untilEnded(child, watchdog);
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    pid,
    isAlive,
    output,
    ended,
    terminate: () => isAlive() && child.kill('SIGTERM'),
    kill: () => isAlive() && process.kill(-pid, 'SIGKILL'),
  };
}

async function startFailure(child: ChildProcess, file: string): Promise<Error> {
  const [cause]: unknown[] = await once(child, 'error');
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Error(`${file} cannot be started: ${why}`, { cause });
}

/** The watchdog goes with the program, so that nothing is left when this resolves. */
async function untilEnded(child: ChildProcess, watchdog: ChildProcess): Promise<number | null> {
  const watchdogEnded = new Promise<void>((resolve) => {
    watchdog.once('exit', () => resolve());
    watchdog.once('error', () => resolve());
  });
  child.once('exit', () => {
    watchdog.ref();
    watchdog.stdin?.end('ended\n');
  });
  // What the program wrote last may still be on its way when it exits; a process that it left behind may hold the pipe for ever.
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve);
    child.once('exit', (exitCode) => setTimeout(() => resolve(exitCode), LAST_OUTPUT_MS).unref());
  });
  await watchdogEnded;
  return code;
}

/** Reads everything, so that the program never blocks on a full pipe, and keeps the end of it. */
function keepTail(child: ChildProcess, onOutput: ((chunk: Buffer) => void) | undefined): () => string {
  let tail = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      tail = (tail + chunk.toString('utf8')).slice(-OUTPUT_CHARACTERS);
      onOutput?.(chunk);
    });
  }
  return () => tail.trim();
}

function watch(pid: number, temporaryFolder: string | undefined): ChildProcess {
  const args = ['-c', WATCHDOG, 'watchdog', String(pid), temporaryFolder ?? ''];
  const watchdog = spawn('/bin/sh', args, { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  // Without the watchdog everything still works; only an unclean death of this process would leave the program behind.
  watchdog.on('error', () => {});
  watchdog.stdin?.on('error', () => {});
  watchdog.unref();
  return watchdog;
}
