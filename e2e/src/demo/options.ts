import { parseArgs } from 'node:util';

export type DemoOptions = {
  readonly calls: number;
  readonly lang: 'he' | 'en' | 'all';
  /** How much faster than real time the telephone plays. */
  readonly speed: number;
  readonly json: boolean;
  /** The only dialogue to place; `null`: in turn those of the language. */
  readonly dialogue: string | null;
};

export const DEMO_HELP = `npm run demo -- [options]

Starts NATS, MongoDB, a telephone, an AI provider, a webhook receiver and the five services on free
ports, places calls, shows what each stage does, then the CallLog and the delivered webhook.

  --calls <1..200>   how many calls at once           (default 1)
  --lang <he|en|all> language of the dialogues        (default he; all for several calls)
  --dialogue <id>    one dialogue of packages/sandbox/dialogues, such as he-interruption
  --speed <1..50>    times real time                  (default 3; 8 for several calls)
  --json             one JSON array at the end, an entry a call; nothing else
  --help
`;

/** Thrown for options that cannot be used; its text says which and what is allowed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Parses the command line; `null` means that help was asked for. */
export function parseDemoOptions(args: readonly string[]): DemoOptions | null {
  const values = parse(args);
  if (values.help === true) return null;
  const calls = wholeNumber('--calls', values.calls ?? '1', 1, 200);
  const lang = values.lang ?? (calls === 1 ? 'he' : 'all');
  if (lang !== 'he' && lang !== 'en' && lang !== 'all') throw new UsageError(`--lang must be he, en or all`);
  return {
    calls,
    lang,
    speed: wholeNumber('--speed', values.speed ?? (calls === 1 ? '3' : '8'), 1, 50),
    json: values.json === true,
    dialogue: values.dialogue ?? null,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        calls: { type: 'string' },
        lang: { type: 'string' },
        speed: { type: 'string' },
        dialogue: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new UsageError(`${name} must be a whole number from ${min} to ${max}`);
  return value;
}
