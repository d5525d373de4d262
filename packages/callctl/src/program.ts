import { parseArgs } from 'node:util';
import { ConfigError } from '@pipeline/runtime';
import { helpOfAll, helpOfVerb, usageOf } from './help.ts';
import { createProgressLogger } from './progress-logger.ts';
import { VERBS } from './registry.ts';
import { CommandError, UsageError, type Context, type Environment, type Result, type Verb } from './verb.ts';

/** 0 done, 1 failed, 2 typed wrong. */
export type ExitCode = 0 | 1 | 2;

/** The outside of the program, so that tests can be it. Lines come without their end. */
export type Outside = Pick<Context, 'signal' | 'isTerminal' | 'readBytes' | 'resolve'> & {
  readonly environment: Environment;
  out(text: string): void;
  error(text: string): void;
};

/** Runs one command line. Never throws: what goes wrong is told on `error`, and with `--json` also as `{"error": ...}` on `out`. */
export async function runProgram(args: readonly string[], outside: Outside, verbs = VERBS): Promise<ExitCode> {
  const verb = findVerb(args, verbs);
  const wantsJson = args.includes('--json');
  if (verb === undefined) {
    const [first, second] = args.filter((arg) => !arg.startsWith('-'));
    const group = verbs.filter(({ name }) => name.startsWith(`${first} `));
    const hint = helpOfAll(group.length > 0 ? group : verbs);
    if (first === 'help' || args.includes('--help') || args.includes('-h')) return tell(outside, hint, 0);
    const typed = group.length > 0 && second !== undefined ? `${first} ${second}` : first;
    const message = typed === undefined ? 'a verb is missing' : `there is no verb ${JSON.stringify(typed)}`;
    return fail(outside, { code: 2, message, hint, wantsJson });
  }
  try {
    const typed = parse(verb, args.slice(verb.name.split(' ').length));
    if (typed.options['help'] === true) return tell(outside, helpOfVerb(verb), 0);
    requireArguments(verb, typed.arguments);
    const progress = (line: string): void => outside.error(line);
    const result = await verb.run({
      ...outside,
      ...typed,
      progress,
      logger: createProgressLogger(progress),
      readInput: async (path) => (await outside.readBytes(path)).toString('utf8'),
      emit: (part) => outside.out(wantsJson ? JSON.stringify(part.json) : part.text),
    });
    return tell(outside, textOf(result, wantsJson), result.ok === false ? 1 : 0);
  } catch (error) {
    if (error instanceof UsageError) {
      return fail(outside, { code: 2, message: error.message, hint: usageOf(verb), wantsJson });
    }
    return fail(outside, { code: 1, message: messageOf(error, outside.signal), hint: null, wantsJson });
  }
}

/** The verb whose words the command line begins with. */
function findVerb(args: readonly string[], verbs: readonly Verb[]): Verb | undefined {
  return verbs.find((verb) => verb.name.split(' ').every((word, place) => args[place] === word));
}

function parse(verb: Verb, args: readonly string[]): Pick<Context, 'arguments' | 'options'> {
  const own = Object.entries(verb.options).map(([name, option]) => {
    const type = option.value === undefined ? ('boolean' as const) : ('string' as const);
    return [name, option.default === undefined ? { type } : { type, default: option.default }] as const;
  });
  const options = {
    ...Object.fromEntries(own),
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
    return { arguments: positionals, options: { ...values } };
  } catch (error) {
    const [sentence] = (error instanceof Error ? error.message : 'cannot be read').split('. ');
    throw new UsageError(String(sentence));
  }
}

function requireArguments(verb: Verb, given: readonly string[]): void {
  const missing = verb.arguments[given.length];
  // `[<name>]` may be left out.
  if (missing !== undefined && !missing.startsWith('[')) throw new UsageError(`${missing} is missing`);
  const extra = given[verb.arguments.length];
  if (extra !== undefined) throw new UsageError(`${JSON.stringify(extra)} is one argument too many`);
}

/** Nothing, where a verb told everything while it ran. */
function textOf({ json, text }: Result, wantsJson: boolean): string {
  if (!wantsJson) return text;
  return json === undefined ? '' : JSON.stringify(json, null, 2);
}

function tell(outside: Outside, text: string, code: ExitCode): ExitCode {
  if (text !== '') outside.out(text);
  return code;
}

function fail(
  outside: Outside,
  failure: {
    readonly code: 1 | 2;
    readonly message: string;
    readonly hint: string | null;
    readonly wantsJson: boolean;
  },
): ExitCode {
  const { code, message, hint, wantsJson } = failure;
  outside.error(hint === null ? `callctl: ${message}` : `callctl: ${message}\n\n${hint}`);
  if (wantsJson) outside.out(JSON.stringify({ error: { message } }));
  return code;
}

/** Messages of our own classes are written for people. Of others only the class is told: they may hold what nobody should read. */
function messageOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'interrupted';
  if (error instanceof ConfigError)
    return `set these environment variables:\n${error.problems.map((line) => `  ${line}`).join('\n')}`;
  if (error instanceof CommandError) return error.message;
  const own =
    error instanceof Error && ['StoreError', 'BrokerError', 'RetryLaterError', 'PermanentError'].includes(error.name);
  if (own) return error.message;
  return `an unexpected failure (${error instanceof Error ? error.name : typeof error})`;
}
