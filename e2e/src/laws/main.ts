import { readArguments } from '../stack/arguments.ts';
import { checkLaws, verdictLines } from './check.ts';
import { entriesBelow, readCode } from './read-code.ts';
import { runSystem } from './run-system.ts';

const HELP = `./verify_clean_pipeline.sh [--json]

The five checks of a clean pipeline. They read the import graph of the programs and run one call through a system
of real processes. Exit 1 when one fails.
`;

const values = readArguments({ json: { type: 'boolean', default: false }, help: { type: 'boolean' } }, HELP);
const code = await readCode(entriesBelow(new URL('../../../', import.meta.url)));
const run = await runSystem({ environment: { ...process.env }, prefer: 'quick' }).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
const verdicts = checkLaws(code, run);
const failed = verdicts.filter((verdict) => verdict.violations.length > 0).length;
if (values.json) process.stdout.write(`${JSON.stringify(verdicts)}\n`);
else
  process.stdout.write(
    `${verdictLines(verdicts).join('\n')}\n\n${verdicts.length - failed} passed, ${failed} failed\n`,
  );
process.exit(failed === 0 ? 0 : 1);
