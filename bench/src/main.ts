import { GATEWAY_HELP, gatewayCommand } from './gateway-command.ts';
import { OptionError } from './options.ts';
import { RELAY_HELP, relayCommand } from './relay-command.ts';
import { ISOLATION_HELP, isolationCommand, WEBHOOKS_HELP, webhooksCommand } from './webhooks-command.ts';

const BENCHES = {
  relay: { run: relayCommand, help: RELAY_HELP },
  webhooks: { run: webhooksCommand, help: WEBHOOKS_HELP },
  'webhooks-isolation': { run: isolationCommand, help: ISOLATION_HELP },
  gateway: { run: gatewayCommand, help: GATEWAY_HELP },
};
const HELP = Object.values(BENCHES)
  .map(({ help }) => help)
  .join('\n');

const [name = '', ...args] = process.argv.slice(2);
const chosen = Object.entries(BENCHES).find(([key]) => key === name)?.[1];
if (chosen === undefined) {
  const isAsked = name === '--help' || name === '-h';
  (isAsked ? process.stdout : process.stderr).write(HELP);
  process.exit(isAsked ? 0 : 2);
}
try {
  process.exit(await chosen.run(args));
} catch (error) {
  if (!(error instanceof OptionError)) throw error;
  process.stderr.write(`${error.message}\n\n${chosen.help}`);
  process.exit(2);
}
