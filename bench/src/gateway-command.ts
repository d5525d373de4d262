import type { FaultShares } from '@pipeline/sandbox/load';
import { benchGateway, disturbGateway, type GatewayBench } from './gateway/gateway.ts';
import { resultOf, verdictOf, type DisturbedResult, type GatewayResult, type Verdict } from './gateway/result.ts';
import { OptionError, readOptions, type NumberOption } from './options.ts';

export const GATEWAY_HELP = `pnpm bench gateway [--calls <1..1000>] [--seconds <1..600>] [--json] [more]

calls in real time through one media-gateway (the real service, on real servers) next to the same load through a bare relay that
parses and writes each frame and does nothing else: frames lost, latency added, CPU. Progress is on standard error.

  --calls <n>        calls at the same time                         (250)
  --seconds <n>      measured, with all calls up                    (60)
  --json             one object and nothing else on standard output
  --piece-ms <20..400>  audio in one piece of the agent             (200, about OpenAI's)
  --callers <1..8>   processes that the callers are spread over     (1)
  --profile <folder> writes a CPU profile of the gateway there

With one of these, the gateway alone is run and has to end every call once, whatever its network does. Each is a share of the calls:

  --drop <0..1>      the media stream is cut without a word
  --stall <0..1>     the media stream stands still for 2 s
  --reorder <0..1>   the status callback comes before the media stream's stop
  --duplicate <0..1> the status callback comes twice
  --missing <0..1>   the status callback never comes

Exit code: 0 all bounds held, 1 a bound was missed, 3 the run is invalid because the load itself was late, 2 bad options.
`;

const SHARE = { min: 0, max: 1, default: 0, isShare: true } as const;
const NUMBERS = {
  calls: { min: 1, max: 1_000, default: 250 },
  seconds: { min: 1, max: 600, default: 60 },
  'piece-ms': { min: 20, max: 400, default: 200 },
  callers: { min: 1, max: 8, default: 1 },
  drop: SHARE,
  stall: SHARE,
  reorder: SHARE,
  duplicate: SHARE,
  missing: SHARE,
} as const satisfies Record<string, NumberOption>;

const EXIT_CODES = { held: 0, missed: 1, invalid: 3 } as const satisfies Record<Verdict['kind'], number>;

/** `pnpm bench gateway`: resolves with the exit code. */
export async function gatewayCommand(args: readonly string[]): Promise<number> {
  const { json, help, numbers, texts } = readOptions(args, NUMBERS, ['profile']);
  if (help) {
    process.stdout.write(GATEWAY_HELP);
    return 0;
  }
  const faults = faultsOf(numbers);
  const bench: GatewayBench = {
    calls: numbers.calls,
    seconds: numbers.seconds,
    pieceMs: numbers['piece-ms'],
    callerProcesses: Math.min(numbers.callers, numbers.calls),
    profileTo: texts.profile ?? null,
    tell: (line) => void process.stderr.write(`${line}\n`),
  };
  const stopping = new AbortController();
  process.once('SIGINT', () => stopping.abort(new Error('interrupted')));
  if (faults !== null) return printDisturbed(await disturbGateway(bench, faults, stopping.signal), json);
  const run = await benchGateway(bench, stopping.signal);
  const verdict = verdictOf(run);
  process.stdout.write(json ? `${JSON.stringify(resultOf(run))}\n` : sentenceOf(resultOf(run)));
  if (verdict.kind !== 'held')
    process.stderr.write(`${verdict.kind === 'invalid' ? 'INVALID' : 'MISSED'}: ${verdict.reasons.join('; ')}\n`);
  return EXIT_CODES[verdict.kind];
}

/** The faults that were asked for; `null` when there are none. */
function faultsOf(numbers: { readonly [K in keyof FaultShares]: number }): FaultShares | null {
  const { drop, stall, reorder, duplicate, missing } = numbers;
  const faults = { drop, stall, reorder, duplicate, missing };
  if (drop + stall > 1) throw new OptionError('--drop and --stall are at most 1 together');
  if (reorder + duplicate + missing > 1)
    throw new OptionError('--reorder, --duplicate and --missing are at most 1 together');
  return Object.values(faults).every((share) => share === 0) ? null : faults;
}

function printDisturbed(disturbed: DisturbedResult, json: boolean): number {
  const { calls, framesIn, framesLost, callsEnded } = disturbed;
  const sentence = `${calls} calls, ${framesIn} frames in, ${framesLost} lost of calls that were not cut, ${callsEnded} call.ended\n`;
  process.stdout.write(json ? `${JSON.stringify(disturbed)}\n` : sentence);
  if (framesLost === 0 && callsEnded === calls) return EXIT_CODES.held;
  process.stderr.write('MISSED: every call ends once, and only a call that was cut may lose frames\n');
  return EXIT_CODES.missed;
}

function sentenceOf(result: GatewayResult): string {
  const { calls, seconds, framesIn, framesLost, p99AddedMs, relayP99Ms, p99AddedMsAt100, cpuRatio } = result;
  const at100 = p99AddedMsAt100 === null ? '' : `, with 100 calls ${p99AddedMsAt100} ms`;
  return (
    `${calls} calls for ${seconds} s: ${framesIn} frames in, ${framesLost} lost; ` +
    `p99 added latency ${p99AddedMs} ms (relay ${relayP99Ms} ms)${at100}; CPU ${cpuRatio} x the relay's\n`
  );
}
