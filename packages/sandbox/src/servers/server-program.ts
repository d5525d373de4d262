/** The programs that can be started, in the order of their merit. */
export type ProgramName = 'nats-server' | 'mongod' | 'secantusd-rs' | 'secantusd-py';

/** A server program on this machine: `file` with `leading` before all other arguments. */
export type ServerProgram = {
  readonly kind: 'program';
  readonly name: ProgramName;
  readonly file: string;
  readonly leading: readonly string[];
  readonly version: string;
  readonly found: string;
};
