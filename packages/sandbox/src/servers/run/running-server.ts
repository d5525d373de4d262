import type { ServerProgram } from '../find/program.ts';
import type { DataFolder } from './data-folder.ts';
import type { ServerProcess } from './server-process.ts';

/** A name and a password, for NATS as for MongoDB. */
export type ServerUser = { readonly user: string; readonly password: string };

/** A server that runs for us, or one that was given by its URL in the environment. */
export type RunningServer = {
  /** `nats://127.0.0.1:<port>` or `mongodb://127.0.0.1:<port>/?directConnection=true`, without user and password. */
  readonly url: string;
  readonly port: number;
  /** Process id, another one after {@link RunningServer.restart}; 0 for a given server. */
  readonly pid: number;
  /** The program: `nats-server`, `mongod`, `secantusd-rs`, `secantusd-py`. */
  readonly name: string;
  readonly version: string;
  /** Where it keeps what it stores; null for a given server. */
  readonly dataDir: string | null;
  /** How it was found, a phrase for people: `on PATH (/usr/bin/mongod)`. */
  readonly found: string;
  /**
   * What each asked user signs in with, by the asked name. For a server of ours it is what was asked; on a given NATS server
   * all share the user of the environment, because users cannot be made there.
   */
  readonly users: Readonly<Record<string, ServerUser>>;
  /** Ends it in order and removes its temporary folder; `dataDir` is kept. Twice is harmless. A given server only loses the users made for us. */
  stop(): Promise<void>;
  /** SIGKILL; what it stored is kept for {@link RunningServer.restart}. Rejects for a given server. */
  kill(): Promise<void>;
  /** Ends it if it runs and starts it with the same port, users and stored state. Rejects for a given server. */
  restart(): Promise<void>;
};

/** Time for a server to end after SIGTERM, ms: the Python MongoDB server takes 2 s when idle. */
export const STOP_GRACE_MS = 15_000;

/** The part of {@link RunningServer} that is the same for every server of ours. */
export function runningServer(
  program: ServerProgram,
  folder: DataFolder,
  own: {
    readonly url: string;
    readonly port: number;
    readonly users: readonly ServerUser[];
    readonly process: ServerProcess;
    readonly launch: () => Promise<ServerProcess>;
  },
): RunningServer {
  const lifecycle = new Lifecycle(own.process, own.launch, folder.release);
  return {
    url: own.url,
    port: own.port,
    name: program.name,
    version: program.version,
    found: program.found,
    dataDir: folder.path,
    users: Object.fromEntries(own.users.map(({ user, password }) => [user, { user, password }])),
    get pid() {
      return lifecycle.pid;
    },
    stop: () => lifecycle.stop(),
    kill: () => lifecycle.kill(),
    restart: () => lifecycle.restart(),
  };
}

/** One process at a time; operations run one after another in the order of their calls; nothing follows a stop. */
class Lifecycle {
  #process: ServerProcess;
  #turn: Promise<void> = Promise.resolve();
  #stopped = false;
  readonly #launch: () => Promise<ServerProcess>;
  readonly #release: () => Promise<void>;

  constructor(process: ServerProcess, launch: () => Promise<ServerProcess>, release: () => Promise<void>) {
    this.#process = process;
    this.#launch = launch;
    this.#release = release;
  }

  get pid(): number {
    return this.#process.pid;
  }

  stop(): Promise<void> {
    return this.#next(async () => {
      if (this.#stopped) return;
      this.#stopped = true;
      await this.#process.end(STOP_GRACE_MS);
      await this.#release();
    });
  }

  kill(): Promise<void> {
    return this.#next(() => this.#process.kill());
  }

  restart(): Promise<void> {
    return this.#next(async () => {
      if (this.#stopped) throw new Error('a stopped server cannot be restarted');
      await this.#process.end(STOP_GRACE_MS);
      this.#process = await this.#launch();
    });
  }

  #next(work: () => Promise<void>): Promise<void> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }
}
