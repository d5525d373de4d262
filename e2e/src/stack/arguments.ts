import { parseArgs, type ParseArgsConfig } from 'node:util';

/** Options without positionals. What cannot be read ends the process with 2 and one sentence; `--help` ends it with 0 and `help`. */
export function readArguments<const T extends NonNullable<ParseArgsConfig['options']>>(options: T, help: string) {
  try {
    const { values } = parseArgs({ options });
    if (!('help' in values && values.help === true)) return values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
    process.exit(2);
  }
  process.stdout.write(help);
  process.exit(0);
}
