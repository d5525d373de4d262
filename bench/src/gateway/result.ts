import type { LoadReport } from '@pipeline/sandbox/load';

/** One round as it was measured: what the load saw, and what the process in the middle used. */
export type MeasuredRound = { readonly report: LoadReport; readonly cpuShare: number };

export type MeasuredRun = {
  readonly seconds: number;
  readonly gateway: MeasuredRound;
  /** Before and after the gateway, so that a machine that slows down or speeds up meanwhile favours neither. */
  readonly relay: readonly [MeasuredRound, MeasuredRound];
  /** The gateway with 100 calls; `null` when the run is smaller than that. */
  readonly gatewayAt100: MeasuredRound | null;
};

/** What `--json` prints. Milliseconds are the worse of both directions; `null` where nothing was measured. */
export type GatewayResult = {
  readonly calls: number;
  readonly seconds: number;
  readonly framesIn: number;
  readonly framesLost: number;
  readonly p99AddedMs: number | null;
  readonly relayP99Ms: number | null;
  readonly p99AddedMsAt100: number | null;
  readonly cpuRatio: number;
};

/** What `--json` prints of a run with faults. `callsEnded` counts the events in the stream: one a call, if all is well. */
export type DisturbedResult = {
  readonly calls: number;
  readonly seconds: number;
  readonly framesIn: number;
  readonly framesLost: number;
  readonly callsEnded: number;
  readonly p50AddedMs: number | null;
  readonly p99AddedMs: number | null;
  readonly maxAddedMs: number | null;
  readonly cpuPerCall: number;
};

/** `invalid`: the load itself was late, so the figures say nothing about the gateway. */
export type Verdict =
  | { readonly kind: 'held' }
  | { readonly kind: 'missed' | 'invalid'; readonly reasons: readonly string[] };

export const BOUNDS = {
  /** p99 of the gateway: at most so many times the relay's, and so much more. */
  latencyRatio: 1.3,
  latencyMs: 5,
  latencyMsAt100: 20,
  cpuRatio: 1.3,
  /** p99 of how late the load's own processes may be. */
  loopDelayMs: 5,
} as const;

/** The object of a run. */
export function resultOf(run: MeasuredRun): GatewayResult {
  const { report, cpuShare } = run.gateway;
  const [before, after] = run.relay;
  const relayShare = (before.cpuShare + after.cpuShare) / 2;
  return {
    calls: report.calls,
    seconds: run.seconds,
    framesIn: report.framesIn,
    framesLost: report.framesLost + (run.gatewayAt100?.report.framesLost ?? 0),
    p99AddedMs: worstP99(report),
    relayP99Ms: meanOf(worstP99(before.report), worstP99(after.report)),
    p99AddedMsAt100: run.gatewayAt100 === null ? null : worstP99(run.gatewayAt100.report),
    cpuRatio: rounded(cpuShare / relayShare),
  };
}

/** The object of a run with faults. Latency is the caller's side, whose frames no stall holds up once they were sent. */
export function disturbedResultOf(
  { report, cpuShare }: MeasuredRound,
  seconds: number,
  callsEnded: number,
): DisturbedResult {
  return {
    calls: report.calls,
    seconds,
    framesIn: report.framesIn,
    framesLost: report.framesLost,
    callsEnded,
    p50AddedMs: report.toAgent.p50Ms,
    p99AddedMs: report.toAgent.p99Ms,
    maxAddedMs: report.toAgent.maxMs,
    cpuPerCall: rounded(cpuShare / report.calls),
  };
}

/** Holds a run against {@link BOUNDS}. */
export function verdictOf(run: MeasuredRun): Verdict {
  const rounds = [run.gateway, ...run.relay, ...(run.gatewayAt100 === null ? [] : [run.gatewayAt100])];
  const loopDelay = Math.max(...rounds.map(({ report }) => report.loopDelayP99Ms));
  if (loopDelay > BOUNDS.loopDelayMs)
    return {
      kind: 'invalid',
      reasons: [
        `the load's own event loop was ${rounded(loopDelay)} ms late at p99, above ${BOUNDS.loopDelayMs}: the machine is too busy`,
      ],
    };
  const unheard = run.relay.find(({ report }) => report.up < report.calls || report.framesLost > 0);
  if (unheard !== undefined)
    return {
      kind: 'invalid',
      reasons: [`the relay lost ${unheard.report.framesLost} frames of ${unheard.report.up} calls`],
    };
  const reasons = [...missedBy(run)];
  return reasons.length === 0 ? { kind: 'held' } : { kind: 'missed', reasons };
}

function* missedBy(run: MeasuredRun): Generator<string> {
  const result = resultOf(run);
  const { p99AddedMs, relayP99Ms, p99AddedMsAt100 } = result;
  const allowedMs = rounded((relayP99Ms ?? 0) * BOUNDS.latencyRatio + BOUNDS.latencyMs);
  for (const { report } of [run.gateway, ...(run.gatewayAt100 === null ? [] : [run.gatewayAt100])]) {
    if (report.up < report.calls) yield `${report.calls - report.up} of ${report.calls} calls never came up`;
    if (report.framesRepeated + report.framesDamaged > 0)
      yield `${report.framesRepeated} frames came twice or late, ${report.framesDamaged} with other bytes`;
  }
  if (result.framesLost > 0) yield `${result.framesLost} frames were lost`;
  if (p99AddedMs === null || p99AddedMs > allowedMs)
    yield `p99 added latency is ${p99AddedMs} ms, above ${allowedMs} (${BOUNDS.latencyRatio} x the relay's ${relayP99Ms} + ${BOUNDS.latencyMs})`;
  if (run.gatewayAt100 !== null && (p99AddedMsAt100 === null || p99AddedMsAt100 >= BOUNDS.latencyMsAt100))
    yield `p99 added latency at 100 calls is ${p99AddedMsAt100} ms, not under ${BOUNDS.latencyMsAt100}`;
  if (!(result.cpuRatio <= BOUNDS.cpuRatio)) yield `CPU is ${result.cpuRatio} x the relay's, above ${BOUNDS.cpuRatio}`;
}

function worstP99({ toAgent, toCaller }: LoadReport): number | null {
  if (toAgent.p99Ms === null || toCaller.p99Ms === null) return null;
  return Math.max(toAgent.p99Ms, toCaller.p99Ms);
}

function meanOf(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : rounded((one + other) / 2);
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
