import { readOptions } from './options.ts';
import { benchRelay } from './relay.ts';

export const RELAY_HELP = `pnpm bench relay [--events <100..100000>] [--slots <1..64>] [--json]

events per second through a stage (own result first, publish, ack) next to a bare loop of next, publish and ack on the same
server in the same run: the ratio says what the stage's guarantees cost.
`;

/** `pnpm bench relay`: resolves with the exit code. */
export async function relayCommand(args: readonly string[]): Promise<number> {
  const { json, help, numbers } = readOptions(
    args,
    { events: { min: 100, max: 100_000, default: 2_000 }, slots: { min: 1, max: 64, default: 16 } },
    [],
  );
  if (help) return print(RELAY_HELP);
  const result = await benchRelay(numbers);
  if (json) return print(`${JSON.stringify(result)}\n`);
  const { perSecond, barePerSecond, ratio } = result;
  const size = `${numbers.events} events, ${numbers.slots} slots`;
  return print(`stage ${perSecond}/s, bare loop ${barePerSecond}/s, ratio ${ratio} (${size})\n`);
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}
