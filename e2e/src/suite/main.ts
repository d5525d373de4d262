import { getServers } from '@pipeline/sandbox/servers';
import { readArguments } from '../stack/arguments.ts';
import { ending, runSuite, type Step } from './suite.ts';
import { command, vitest } from './steps.ts';

const HELP = `npm test            format, lint, types, unit tests, laws and end-to-end tests on real servers
npm run test:long   the tests that take longer
`;

const values = readArguments({ long: { type: 'boolean', default: false }, help: { type: 'boolean' } }, HELP);

const environment = { ...process.env, DO_NOT_TRACK: '1', NO_COLOR: '1', FORCE_COLOR: undefined };
const servers: Step = {
  name: 'servers',
  run: async (report) => {
    await getServers({ environment, prefer: 'robust', report });
    return { passed: 1, failed: 0, failures: [] };
  },
};
const checks: Step[] = [
  command('format', ['oxfmt', '--check', '.'], environment),
  command('lint', ['oxlint', '--type-aware', '--deny-warnings', '.'], environment),
  command('types', ['tsc', '-p', 'tsconfig.json'], environment),
  command('unused code', ['knip'], environment),
  vitest('unit tests', 'unit', environment),
];
const onServers: Step[] = [
  command('laws', ['node', 'e2e/src/laws/main.ts'], environment),
  vitest('end-to-end tests', 'e2e', environment),
];
const phases = values.long
  ? [[servers], [vitest('long tests', 'long', environment)]]
  : [[servers, checks], [onServers]];

const total = await runSuite(phases, (line) => process.stdout.write(`${line}\n`));
process.stdout.write(ending(total));
process.exit(total.failed === 0 ? 0 : 1);
