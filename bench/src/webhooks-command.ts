import { readOptions } from './options.ts';
import { benchIsolation } from './webhooks/isolation.ts';
import { benchThroughput } from './webhooks/throughput.ts';

export const WEBHOOKS_HELP = `pnpm bench webhooks [--deliveries <500..50000>] [--in-flight <1..256>] [--json]

signed deliveries per second through the guarded way out, and through webhook-dispatcher with its store, each next to a bare
loop of POSTs over open connections in the same run.
`;

export const ISOLATION_HELP = `pnpm bench webhooks-isolation [--healthy <10..500>] [--hung <1..32>] [--per-second <5..500>] [--seconds <2..60>] [--json]

p99 of healthy endpoints alone, and beside endpoints that hang for 15 s (one by default) and one that is dead, in five alternating
rounds of one webhook-dispatcher. Exit code 1 when the median is above 1.2 times before + 5 ms.
`;

/** `pnpm bench webhooks-isolation`: resolves with the exit code. */
export async function isolationCommand(args: readonly string[]): Promise<number> {
  const { json, help, numbers } = readOptions(
    args,
    {
      healthy: { min: 10, max: 500, default: 99 },
      hung: { min: 1, max: 32, default: 1 },
      'per-second': { min: 5, max: 500, default: 40 },
      seconds: { min: 2, max: 60, default: 8 },
    },
    [],
  );
  if (help) return print(ISOLATION_HELP);
  const tell = (line: string): void => void process.stderr.write(`${line}\n`);
  const { healthy, hung, seconds } = numbers;
  const size = { healthy, hung, perSecond: numbers['per-second'], seconds };
  const result = await benchIsolation(size, tell, new AbortController().signal);
  const { rounds, p99AloneMs, p99BesideMs, ofBound } = result;
  const words = `p99 ${p99AloneMs} ms alone, ${p99BesideMs} ms beside them: ${ofBound} of the bound (${rounds} rounds)`;
  print(json ? `${JSON.stringify(result)}\n` : `${words}\n`);
  return ofBound <= 1 ? 0 : 1;
}

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
