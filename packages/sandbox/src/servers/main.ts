import { parseArgs } from 'node:util';
import { SERVER_VARIABLES } from './find/environment.ts';
import type { GivenServer, ServerProgram } from './find/program.ts';
import { getServers } from './get-servers.ts';

const HELP = `Gets a NATS server and a MongoDB server for this machine and prints where they come from. Starts neither.

usage: pnpm servers [--prefer quick|robust] [--json]

  --prefer quick    take what is there, else what is fastest to get (default)
  --prefer robust   take the sturdiest, even if it is built for minutes
  --json            one JSON object on stdout; progress goes to stderr
  --help            this text

Order: the URL in the environment, the program on PATH, the cache, a download, a package or build.

environment:
${Object.entries(SERVER_VARIABLES)
  .map(([name, what]) => `  ${name.padEnd(24)}${what}`)
  .join('\n')}

exit codes: 0 both are there, 1 one could not be had, 2 wrong usage`;

/** The stand-ins are programs under the GPL that are started here and never linked or shipped. */
const STAND_IN = 'a GPL-2.0 beta that stands in for MongoDB on this machine: not for production data';

const { prefer, json } = readArguments();
try {
  const { nats, mongo } = await getServers({
    prefer,
    environment: process.env,
    report: (line) => process.stderr.write(`${line}\n`),
  });
  if (json) console.log(JSON.stringify({ nats: describe(nats), mongo: describe(mongo) }));
  else
    for (const [kind, server] of [
      ['NATS', nats],
      ['MongoDB', mongo],
    ] as const)
      console.log(describeLine(kind, server));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

function readArguments(): { readonly prefer: 'quick' | 'robust'; readonly json: boolean } {
  const options = {
    prefer: { type: 'string', default: 'quick' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean' },
  } as const;
  try {
    const { values } = parseArgs({ options });
    if (values.help) {
      console.log(HELP);
      process.exit(0);
    }
    if (values.prefer !== 'quick' && values.prefer !== 'robust') throw new Error('--prefer must be quick or robust');
    return { prefer: values.prefer, json: values.json };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\nsee pnpm servers --help`);
    process.exit(2);
  }
}

function describeLine(kind: string, server: ServerProgram | GivenServer): string {
  if (server.kind === 'given') return `${kind}: ${server.url}, ${server.found}`;
  const note = isStandIn(server) ? `\n  ${server.name} is ${STAND_IN}` : '';
  return `${kind}: ${server.name} ${server.version}, ${server.found}${note}`;
}

function describe(server: ServerProgram | GivenServer): object {
  if (server.kind === 'given') return { url: server.url, found: server.found };
  const { name, version, found, file } = server;
  return { name, version, found, file, ...(isStandIn(server) && { note: STAND_IN }) };
}

function isStandIn(server: ServerProgram): boolean {
  return server.name === 'secantusd-rs' || server.name === 'secantusd-py';
}
