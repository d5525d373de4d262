import type { Arrived } from './arrivals.ts';
import type { LoadFaults } from './faults.ts';
import { mergeLatencies, summarizeLatencies, type LatencyCounts, type LatencySummary } from './latencies.ts';

/** What the agent's side saw in a round. */
export type AgentReport = {
  readonly heard: readonly Arrived[];
  readonly said: readonly { readonly call: number; readonly sent: number }[];
  readonly latencies: LatencyCounts;
  readonly loopDelayP99Ms: number;
};

/** What one process of callers saw in a round. */
export type CallerReport = {
  readonly calls: readonly CallerCall[];
  readonly heard: readonly Arrived[];
  readonly latencies: LatencyCounts;
  readonly loopDelayP99Ms: number;
};

/** One call from the caller's side. */
export type CallerCall = {
  readonly call: number;
  readonly callSid: string;
  readonly faults: LoadFaults;
  /** It was answered, and both sides heard each other. */
  readonly wasUp: boolean;
  readonly sent: number;
  /** HTTP status of every try of the status callback. */
  readonly callbackStatuses: readonly number[];
  /** What a careful operator would have to look at. */
  readonly problems: readonly string[];
};

/** How much one side has sent and has seen so far. */
export type Tally = { readonly sent: number; readonly seen: number };

/** Adds up a {@link Tally}. */
export function tallyOf(sent: readonly number[], arrived: readonly Arrived[]): Tally {
  return { sent: sumOf(sent, (one) => one), seen: sumOf(arrived, (one) => one.seen) };
}

/** A round of load as a whole. */
export type LoadReport = {
  readonly calls: number;
  /** Calls in which both sides heard each other. */
  readonly up: number;
  /** Frames of the callers that went out, and pieces of the agents. */
  readonly framesIn: number;
  readonly piecesOut: number;
  /** Sent on one side and never seen on the other, both directions, without calls whose network was cut on purpose. */
  readonly framesLost: number;
  /** Frames that came twice or late, or with other bytes: none, if all is well. */
  readonly framesRepeated: number;
  readonly framesDamaged: number;
  /** From the caller to the agent and back, in the measured window. */
  readonly toAgent: LatencySummary;
  readonly toCaller: LatencySummary;
  /** The worst of all processes of the load. */
  readonly loopDelayP99Ms: number;
  readonly problems: readonly string[];
};

/** Puts both sides of a round together. Frames are compared call by call: a surplus of one never hides a loss of another. */
export function reportOf(agent: AgentReport, callers: readonly CallerReport[]): LoadReport {
  const calls = callers.flatMap((report) => report.calls);
  const heardByAgent = new Map(agent.heard.map((one) => [one.call, one]));
  const heardByCaller = new Map(callers.flatMap((report) => report.heard.map((one) => [one.call, one] as const)));
  const said = new Map(agent.said.map((one) => [one.call, one.sent]));
  const arrived = [...agent.heard, ...heardByCaller.values()];
  const lostIn = (call: CallerCall): number => {
    if (call.faults.network === 'drop') return 0;
    const toAgent = call.sent - (heardByAgent.get(call.call)?.seen ?? 0);
    const toCaller = (said.get(call.call) ?? 0) - (heardByCaller.get(call.call)?.seen ?? 0);
    return Math.max(0, toAgent) + Math.max(0, toCaller);
  };
  return {
    calls: calls.length,
    up: calls.filter((call) => call.wasUp).length,
    framesIn: sumOf(calls, (call) => call.sent),
    piecesOut: sumOf(agent.said, (one) => one.sent),
    framesLost: sumOf(calls, lostIn),
    framesRepeated: sumOf(arrived, (one) => one.repeated),
    framesDamaged: sumOf(arrived, (one) => one.damaged),
    toAgent: summarizeLatencies(agent.latencies),
    toCaller: summarizeLatencies(mergeLatencies(callers.map((report) => report.latencies))),
    loopDelayP99Ms: Math.max(agent.loopDelayP99Ms, ...callers.map((report) => report.loopDelayP99Ms)),
    problems: calls.flatMap((call) => call.problems.map((problem) => `${call.callSid}: ${problem}`)),
  };
}

function sumOf<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((sum, item) => sum + count(item), 0);
}
