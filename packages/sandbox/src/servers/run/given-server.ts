import type { GivenServer } from '../find/program.ts';
import type { RunningServer, ServerUser } from './running-server.ts';

/** A {@link RunningServer} for a server that somebody else runs: it is not ours to kill or restart. */
export function givenRunningServer(
  given: GivenServer,
  own: {
    readonly name: string;
    readonly version: string;
    readonly port: number;
    readonly users: Readonly<Record<string, ServerUser>>;
    readonly stop: () => Promise<void>;
  },
): RunningServer {
  const refuse = (verb: string) => (): Promise<never> =>
    Promise.reject(new Error(`the server was ${given.found}: it is not ours to ${verb}`));
  return {
    ...own,
    url: given.url,
    pid: 0,
    dataDir: null,
    found: given.found,
    kill: refuse('kill'),
    restart: refuse('restart'),
  };
}
