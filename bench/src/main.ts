import { parseArgs } from 'node:util';
import { benchRelay } from './relay.ts';

const HELP = `pnpm bench relay [--events <100..100000>] [--slots <1..64>] [--json]

relay   events per second through a stage (own result first, publish, ack) next to a bare loop of next, publish and ack on
        the same server in the same run: the ratio says what the stage's guarantees cost.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    events: { type: 'string', default: '2000' },
    slots: { type: 'string', default: '16' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const events = Number(values.events);
const slots = Number(values.slots);
const usable = positionals[0] === 'relay' && events >= 100 && events <= 100_000 && slots >= 1 && slots <= 64;
if (values.help || !usable) {
  (values.help ? process.stdout : process.stderr).write(HELP);
  process.exit(values.help ? 0 : 2);
}
const result = await benchRelay({ events, slots });
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else {
  const { perSecond, barePerSecond, ratio } = result;
  process.stdout.write(
    `stage ${perSecond}/s, bare loop ${barePerSecond}/s, ratio ${ratio} (${events} events, ${slots} slots)\n`,
  );
}
