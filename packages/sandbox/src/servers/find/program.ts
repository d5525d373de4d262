import type { ServerEnvironment } from './environment.ts';

/** The programs that can be started. `secantusd-rs` and `secantusd-py` stand in for `mongod`: GPL betas, only ever started here. */
export type ProgramName = 'nats-server' | 'mongod' | 'secantusd-rs' | 'secantusd-py';

/** How to call a program: `file` with `leading` before all other arguments. */
export type ProgramCommand = { readonly file: string; readonly leading: readonly string[] };

/** A server program on this machine. */
export type ServerProgram = ProgramCommand & {
  readonly kind: 'program';
  readonly name: ProgramName;
  readonly version: string;
  /** How it was found, a phrase for people. */
  readonly found: string;
};

/** A server that already runs and was named in the environment. `user` is null when it asks for none. */
export type GivenServer = {
  readonly kind: 'given';
  readonly url: string;
  readonly user: { readonly user: string; readonly password: string } | null;
  readonly found: string;
};

/** `quick`: what is there in seconds. `robust`: the sturdiest, even if it must be built for minutes. */
export type Preference = 'quick' | 'robust';

/** What the search for a server needs to know. `report` takes lines for people. */
export type FindOptions = {
  readonly environment: ServerEnvironment;
  readonly report: (line: string) => void;
  readonly prefer: Preference;
};
