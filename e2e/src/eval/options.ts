import { parseArgs } from 'node:util';

export const HELP = `pnpm eval [--set <folder>] [--concurrency <1..32>] [--at-least <0..1>] [--json]

Measures a model: works dialogues with the real summarizer and extractor, and prints precision and recall for each field and language.

  --set <folder>       dialogues of your own (*.json, as in packages/sandbox/golden), with businesses/*.json beside them
  --concurrency <n>    dialogues at once                                          (default 4)
  --at-least <share>   exit 1 when precision or recall is below                   (default 1 for the sandbox, else 0)
  --json               one object on standard output

Without a key the sandbox answers, which knows its own dialogues. For a real model set EVAL_API_KEY, and EVAL_BASE_URL, EVAL_MODEL,
EVAL_API (responses, chat), EVAL_FORM (schema, object, prompt) as needed; SUMMARY_... and EXTRACTION_... of the services go before
EVAL_... . Each dialogue costs two requests.

Exit codes: 0 measured; 1 below --at-least, or every dialogue failed; 2 wrong option, environment or set.
`;

export type EvalOptions = {
  readonly set: string | undefined;
  readonly concurrency: number;
  readonly atLeast: number | undefined;
  readonly json: boolean;
  readonly help: boolean;
};

/** The options of the command line, or the one sentence that says what is wrong with them. */
export function readOptions(args: readonly string[]): EvalOptions | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        set: { type: 'string' },
        concurrency: { type: 'string', default: '4' },
        'at-least': { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const concurrency = Number(values.concurrency);
    const atLeast = values['at-least'] === undefined ? undefined : Number(values['at-least']);
    if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 32)
      return '--concurrency is a whole number from 1 to 32';
    if (atLeast !== undefined && !(atLeast >= 0 && atLeast <= 1)) return '--at-least is a number from 0 to 1';
    if (values.set === '') return '--set is a folder';
    return { set: values.set, concurrency, atLeast, json: values.json, help: values.help };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
