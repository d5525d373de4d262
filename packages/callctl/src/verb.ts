import type { Resolve } from '@pipeline/egress';
import type { Logger } from '@pipeline/runtime';

/** One option of a verb, as `--help` shows it. `value` is the name of its value; an option without one is a switch. */
export type VerbOption = { readonly summary: string; readonly value?: string; readonly default?: string };

/** One verb of the command line: a file below `verbs/` and a line in the registry. */
export type Verb = {
  /** What is typed, one or two words. */
  readonly name: string;
  /** One line for the list of verbs. */
  readonly summary: string;
  /** Its positional arguments in order: `<callSid>`, or `[<id>]` for one at the end that may be left out. */
  readonly arguments: readonly string[];
  readonly options: Readonly<Record<string, VerbOption>>;
  /** Does the work. Throws a {@link CommandError} for what the operator can do something about. */
  run(context: Context): Promise<Result>;
};

/** What a verb gets. */
export type Context = {
  readonly arguments: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly environment: Environment;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** True when a person looks at a terminal: only then are directions of text isolated. */
  readonly isTerminal: boolean;
  /** The content of a file, or of standard input for `-`. */
  readInput(path: string): Promise<string>;
  /** The same as bytes. */
  readBytes(path: string): Promise<Buffer>;
  /** Tells a part of the result as it comes: a line for people, with `--json` one line of JSON. */
  emit(part: Result): void;
  /** Looks up the addresses of a name. */
  readonly resolve: Resolve;
  /** Tells a person that something goes on; not part of the result. */
  progress(line: string): void;
  /** Turns warnings of connections into progress. */
  readonly logger: Logger;
};

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What a verb found or did: the same for programs (`--json`) and for people. `ok: false` ends with exit code 1. A `json` that is
 * undefined and a `text` that is empty print nothing: all was told by `emit`.
 */
export type Result = { readonly ok?: boolean; readonly json: unknown; readonly text: string };

/** The verb could not do it, and the message says what to do. Exit code 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** It was typed wrong. Exit code 2, with the usage of the verb. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
