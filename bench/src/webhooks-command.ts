import { readOptions } from './options.ts';
import { benchThroughput } from './webhooks/throughput.ts';

export const WEBHOOKS_HELP = `pnpm bench webhooks [--deliveries <500..50000>] [--in-flight <1..256>] [--json]

signed deliveries per second through the guarded way out, and through webhook-dispatcher with its store, each next to a bare
loop of POSTs over open connections in the same run.
`;

/** `pnpm bench webhooks`: resolves with the exit code. */
export async function webhooksCommand(args: readonly string[]): Promise<number> {
  const { json, help, numbers } = readOptions(
    args,
    {
      deliveries: { min: 500, max: 50_000, default: 4_000 },
      'in-flight': { min: 1, max: 256, default: 64 },
    },
    [],
  );
  if (help) return print(WEBHOOKS_HELP);
  const tell = (line: string): void => void process.stderr.write(`${line}\n`);
  const size = { deliveries: numbers.deliveries, inFlight: numbers['in-flight'] };
  const result = await benchThroughput(size, tell, new AbortController().signal);
  if (json) return print(`${JSON.stringify(result)}\n`);
  const { perSecond, perSecondWithStore, barePerSecond, ratio, ratioWithStore } = result;
  return print(
    `signed ${perSecond}/s (${ratio} of bare), with the store ${perSecondWithStore}/s (${ratioWithStore}), bare ${barePerSecond}/s\n`,
  );
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}
