import type { ServerProcess } from './server-process.ts';

/** A name and a password, for NATS as for MongoDB. */
export type ServerUser = { readonly user: string; readonly password: string };

/** A server that runs for us, or one that was given by its URL in the environment. */
export type RunningServer = {
  /** `nats://127.0.0.1:<port>` or `mongodb://127.0.0.1:<port>/?directConnection=true`, without user and password. */
  readonly url: string;
  readonly port: number;
  /** Process id, new after {@link RunningServer.restart}; 0 for a server that was given by its URL. */
  readonly pid: number;
  readonly version: string;
  /** The name of the program: `nats-server`, `mongod`, `secantusd-rs`, `secantusd-py`. */
  readonly name: string;
  /** How it was found, a phrase for people: `on PATH (/usr/bin/mongod)`. */
  readonly found: string;
  /**
   * What each asked user connects with, by the asked name. For a server of ours that is what was asked; a NATS server that was given by its URL
   * has one user for all.
   */
  readonly users: Readonly<Record<string, ServerUser>>;
  /** Ends it in order and removes its temporary folder; `dataDir` is kept. Twice is harmless. A given server only loses the users made for us. */
  stop(): Promise<void>;
  /** SIGKILL; what it stored is kept for {@link RunningServer.restart}. Rejects for a given server. */
  kill(): Promise<void>;
  /** Ends it if it runs and starts it on the same port with the same stored state. Rejects for a given server. */
  restart(): Promise<void>;
};

/** Time for a server to end after SIGTERM: the Python MongoDB server takes 2 s when idle. */
export const STOP_GRACE_MS = 15_000;

/** The lifecycle of one server of ours: one process at a time, operations one after another. */
export class ServerLifecycle {
  #process: ServerProcess;
  #turn: Promise<void> = Promise.resolve();
  #stopped = false;
  readonly #start: () => Promise<ServerProcess>;
  readonly #cleanUp: () => Promise<void>;

  constructor(process: ServerProcess, start: () => Promise<ServerProcess>, cleanUp: () => Promise<void>) {
    this.#process = process;
    this.#start = start;
    this.#cleanUp = cleanUp;
  }

  get pid(): number {
    return this.#process.pid;
  }

  stop(): Promise<void> {
    return this.#next(async () => {
      if (this.#stopped) return;
      await this.#process.end(STOP_GRACE_MS);
      this.#stopped = true;
      await this.#cleanUp();
    });
  }

  kill(): Promise<void> {
    return this.#next(() => this.#process.kill());
  }

  restart(): Promise<void> {
    return this.#next(async () => {
      if (this.#stopped) throw new Error('a stopped server cannot be restarted: its stored state is gone');
      await this.#process.end(STOP_GRACE_MS);
      this.#process = await this.#start();
    });
  }

  #next(work: () => Promise<void>): Promise<void> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }
}
