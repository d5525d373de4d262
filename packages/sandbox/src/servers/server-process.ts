import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';

/** One running server program. It ends with this process, whatever ends this process. */
export type ServerProcess = {
  readonly pid: number;
  /** False from the moment the program has ended. */
  isAlive(): boolean;
  /** The last lines it wrote (at most 8 kB), for error messages. */
  output(): string;
  /** SIGTERM, SIGKILL after `graceMs`; resolves when it has ended. */
  end(graceMs: number): Promise<void>;
  /** SIGKILL; resolves when it has ended. */
  kill(): Promise<void>;
  /** Resolves when it has ended, with its exit code, or `null` after a signal. */
  readonly ended: Promise<number | null>;
};

export type ServerCommand = {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Removed by the watchdog if this process dies without stopping the server. */
  readonly temporaryFolder?: string | undefined;
  /** The whole environment of the program; default this process's own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Gets everything that the program writes, as it comes. */
  readonly onOutput?: (chunk: Buffer) => void;
};

const OUTPUT_BYTES = 8_192;
/** How long a server may take to end in order once the process that started it is gone, seconds. */
const ABANDONED_GRACE_SECONDS = 4;

/**
 * Holds a pipe that only this process can write to. End of file means that this process died, even by SIGKILL: then the
 * server ($1) is ended and its temporary folder ($2) removed. A line on the pipe means that the server was stopped in order.
 */
const WATCHDOG = `
read -r line && exit 0
kill -TERM "$1" 2>/dev/null
left=${ABANDONED_GRACE_SECONDS}
while [ "$left" -gt 0 ] && kill -0 "$1" 2>/dev/null; do sleep 1; left=$((left - 1)); done
kill -KILL "$1" 2>/dev/null
if [ -n "$2" ]; then sleep 1; rm -rf -- "$2"; fi
`;

/**
 * Starts a program in a process group of its own, so that Ctrl-C in the terminal reaches us and not the server: services
 * stop first, servers last. Resolves when the program runs (not when it is ready); rejects when it cannot be started.
 */
export async function startProcess(command: ServerCommand): Promise<ServerProcess> {
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(command.environment === undefined ? {} : { env: { ...command.environment } }),
  });
  const pid = await started(child, command.file);
  const output = keepTail(child, command.onOutput);
  const watchdog = watch(pid, command.temporaryFolder);
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      watchdog.stdin?.end('stopped\n');
      resolve(code);
    });
  });
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
  const signal = async (name: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (isAlive()) child.kill(name);
    await ended;
  };
  return {
    pid,
    isAlive,
    output,
    ended,
    kill: () => signal('SIGKILL'),
    end: async (graceMs) => {
      const patience = new AbortController();
      const late = wait(graceMs, undefined, { signal: patience.signal }).then(
        () => signal('SIGKILL'),
        () => {},
      );
      await signal('SIGTERM');
      patience.abort();
      await late;
    },
  };
}

function started(child: ChildProcess, file: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`${file} cannot be started: ${error.message}`, { cause: error })));
    child.once('spawn', () => resolve(child.pid ?? 0));
  });
}

/** Reads everything, so that the program never blocks on a full pipe, and keeps the end of it. */
function keepTail(child: ChildProcess, onOutput?: (chunk: Buffer) => void): () => string {
  let tail = '';
  const take = (chunk: Buffer): void => {
    onOutput?.(chunk);
    tail = (tail + chunk.toString('utf8')).slice(-OUTPUT_BYTES);
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  return () => tail.trim();
}

function watch(pid: number, temporaryFolder: string | undefined): ChildProcess {
  const args = ['-c', WATCHDOG, 'watchdog', String(pid), temporaryFolder ?? ''];
  const watchdog = spawn('/bin/sh', args, { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  // Without the watchdog the server still works; only an unclean death of this process would leave it behind.
  watchdog.on('error', () => {});
  watchdog.stdin?.on('error', () => {});
  watchdog.unref();
  return watchdog;
}
