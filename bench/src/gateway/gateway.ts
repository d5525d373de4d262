import { eventually } from '@pipeline/e2e/stack';
import { type FaultShares, type Load, type LoadTarget, NO_FAULTS, startLoad } from '@pipeline/sandbox/load';
import { createCpuWatch } from './cpu.ts';
import { startBareRelay } from './relay.ts';
import { disturbedResultOf, type DisturbedResult, type MeasuredRound, type MeasuredRun } from './result.ts';
import { startSubject, type Subject } from './subject.ts';

export type GatewayBench = {
  readonly calls: number;
  readonly seconds: number;
  /** Milliseconds of audio in one piece of the agent. */
  readonly pieceMs: number;
  readonly callerProcesses: number;
  /** A folder for a CPU profile of the gateway. */
  readonly profileTo: string | null;
  readonly tell: (line: string) => void;
};

const CALLS_FOR_LATENCY = 100;
const SECONDS_FOR_LATENCY = 15;
/** Long enough for code to be compiled; a short run is none that anybody reads times from. */
const WARM_UP_MS = 3_000;

/** The same load through the relay, the gateway and the relay again, one after the other; then 100 calls through the gateway. */
export async function benchGateway(bench: GatewayBench, signal: AbortSignal): Promise<MeasuredRun> {
  return withParts(bench, signal, async ({ load, subject, relay }) => {
    const { calls, seconds } = bench;
    const half = Math.max(1, Math.round(seconds / 2));
    const throughRelay = (): Promise<MeasuredRound> =>
      measureRound(bench, load, relay, { name: 'relay', calls, seconds: half });
    const before = await throughRelay();
    const gateway = await measureRound(bench, load, subject, { name: 'gateway', calls, seconds });
    const after = await throughRelay();
    const small = { name: 'gateway', calls: CALLS_FOR_LATENCY, seconds: Math.min(seconds, SECONDS_FOR_LATENCY) };
    const gatewayAt100 = calls < CALLS_FOR_LATENCY ? null : await measureRound(bench, load, subject, small);
    return { seconds, gateway, relay: [before, after], gatewayAt100 };
  });
}

/** One round through the gateway with faults; resolves when every call's event is stored, or will not be. */
export async function disturbGateway(
  bench: GatewayBench,
  faults: FaultShares,
  signal: AbortSignal,
): Promise<DisturbedResult> {
  const { calls, seconds } = bench;
  return withParts(bench, signal, async ({ load, subject }) => {
    const measured = await measureRound(bench, load, subject, { name: 'gateway', calls, seconds, faults });
    const isStored = async (): Promise<boolean> => (await subject.endedCalls()) >= calls;
    await eventually('every call.ended is stored', isStored).catch(() => undefined); // told by the count
    return disturbedResultOf(measured, seconds, await subject.endedCalls());
  });
}

type Measured = { readonly target: LoadTarget; readonly metricsUrl: string };

async function withParts<T>(
  bench: GatewayBench,
  signal: AbortSignal,
  work: (parts: { readonly load: Load; readonly subject: Subject; readonly relay: Measured }) => Promise<T>,
): Promise<T> {
  const closing: (() => Promise<unknown>)[] = [];
  try {
    const load = await startLoad(bench);
    closing.push(load.close);
    const subject = await startSubject({ ...bench, agentUrl: load.agentUrl }, signal);
    closing.push(subject.stop);
    const { mediaUrl, metricsUrl, stop } = await startBareRelay(load.agentUrl);
    closing.push(stop);
    return await work({ load, subject, relay: { target: { kind: 'relay', url: mediaUrl }, metricsUrl } });
  } finally {
    for (const close of closing.toReversed()) await close();
  }
}

async function measureRound(
  bench: GatewayBench,
  load: Load,
  { target, metricsUrl }: Measured,
  round: { readonly name: string; readonly calls: number; readonly seconds: number; readonly faults?: FaultShares },
): Promise<MeasuredRound> {
  const { name, calls, seconds, faults = NO_FAULTS } = round;
  const cpu = createCpuWatch(metricsUrl);
  const report = await load.run({
    target,
    calls,
    seconds,
    faults,
    warmUpMs: Math.min(WARM_UP_MS, (seconds * 1_000) / 3),
    onWindow: () => cpu.look(),
    onProgress: (line) => bench.tell(`${name}: ${line}`),
  });
  bench.tell(
    `${name}: ${report.up} of ${calls} calls, ${report.framesLost} frames lost, p99 ${report.toAgent.p99Ms} ms to the agent and ` +
      `${report.toCaller.p99Ms} ms to the caller, CPU ${(cpu.share * 100).toFixed(1)} %, load late by ${report.loopDelayP99Ms.toFixed(1)} ms at p99`,
  );
  for (const problem of report.problems.slice(0, 5)) bench.tell(`${name}: ${problem}`);
  return { report, cpuShare: cpu.share };
}
