import { setTimeout as pause } from 'node:timers/promises';
import { createGatewayClient } from '../../telephone/call/gateway-client.ts';
import { agentStamp } from '../audio-sizes.ts';
import { createArrivals, type MeasuredWindow } from '../arrivals.ts';
import type { LoadFaults } from '../faults.ts';
import { createLoopDelay } from '../loop-delay.ts';
import { createPacer } from '../pacer.ts';
import { tallyOf, type CallerReport, type Tally } from '../report.ts';
import { LoadCall } from './call.ts';
import type { LoadTarget } from './target.ts';

/** The calls that one process of callers places. */
export type CallerPlan = {
  readonly target: LoadTarget;
  readonly calls: readonly { readonly call: number; readonly faults: LoadFaults }[];
  readonly placedPerSecond: number;
  /** Milliseconds of audio in one piece of the agent. */
  readonly pieceMs: number;
};

/** The callers' side of a load, or a part of it. */
export type LoadCallers = {
  /** Places the calls one after the other; resolves when all are up or have failed. */
  place(): Promise<void>;
  measure(window: MeasuredWindow): void;
  /** The network faults happen, spread over so many milliseconds. Returns at once. */
  disturb(overMs: number): void;
  hush(): void;
  tally(): Tally;
  hangUp(): Promise<void>;
  report(): CallerReport;
  close(): Promise<void>;
};

/** Makes {@link LoadCallers}; nothing is sent yet. */
export function createLoadCallers(plan: CallerPlan): LoadCallers {
  const { target } = plan;
  const arrivals = createArrivals(agentStamp(plan.pieceMs));
  const pacer = createPacer();
  const loopDelay = createLoopDelay();
  const client = target.kind === 'gateway' ? createGatewayClient(target) : null;
  const closing = new AbortController();
  const calls = plan.calls.map(
    ({ call, faults }) => new LoadCall(call, faults, { target, client, arrivals, pacer, pieceMs: plan.pieceMs }),
  );
  return {
    place: async () => {
      const placing: Promise<void>[] = [];
      for (const call of calls) {
        placing.push(call.place(closing.signal));
        await pause(1_000 / plan.placedPerSecond);
      }
      await Promise.all(placing);
    },
    measure: (window) => {
      arrivals.measure(window);
      loopDelay.begin();
    },
    disturb: (overMs) => {
      for (const [at, call] of calls.entries())
        setTimeout(() => void call.suffer(), (overMs * at) / calls.length).unref();
    },
    hush: () => {
      for (const call of calls) call.hush();
      loopDelay.end();
    },
    tally: () =>
      tallyOf(
        calls.map((call) => call.report().sent),
        arrivals.calls,
      ),
    hangUp: async () => {
      await Promise.all(calls.map((call) => call.hangUp(closing.signal)));
    },
    report: () => ({
      calls: calls.map((call) => call.report()),
      heard: arrivals.calls,
      latencies: arrivals.readLatencies(),
      loopDelayP99Ms: loopDelay.p99Ms,
    }),
    close: async () => {
      closing.abort();
      pacer.close();
      await client?.close();
    },
  };
}
