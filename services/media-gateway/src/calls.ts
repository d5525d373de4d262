import type { CallEnded } from '@pipeline/contracts';
import type { CallDirectory } from './call-directory.ts';
import type { CallPlan } from './call/call.ts';
import { RunningCall, type CallDeps, type MediaStream } from './running-call.ts';

/** The calls of this process, from their answer until their event is stored. */
export type Calls = {
  /** Answers a call, or returns the one that is running under this CallSid. */
  start(plan: Omit<CallPlan, 'startedAt'>): RunningCall;
  find(callSid: string): RunningCall | undefined;
  /** Opens the media stream of the call for a valid token; `null` refuses it. */
  openStream(callSid: string, token: string, media: MediaStream): Promise<RunningCall | null>;
  /** Calls that are not over, of one business or of all. */
  activeCount(businessId?: string): number;
  /** Waits until all calls are over and published; those that last longer than `limitMs` are ended. */
  drain(limitMs: number): Promise<void>;
};

type CallsDeps = Omit<CallDeps, 'onHandedOver'> & {
  readonly directory: CallDirectory;
  readonly onEnded: (event: CallEnded) => void;
};

export function createCalls(deps: CallsDeps): Calls {
  const running = new Map<string, RunningCall>();

  const onHandedOver = (event: CallEnded): void => {
    void deps.directory
      .markPublished(event.callSid)
      .catch((error: unknown) =>
        deps.logger.warn({ err: error, callSid: event.callSid }, 'a published call was not noted'),
      )
      .finally(() => running.delete(event.callSid));
    // Last: whatever it throws, the call is forgotten and a drain ends.
    deps.onEnded(event);
  };

  return {
    start: (plan) => {
      const call = running.get(plan.callSid) ?? new RunningCall(plan, { ...deps, onHandedOver });
      running.set(plan.callSid, call);
      return call;
    },
    find: (callSid) => running.get(callSid),
    openStream: async (callSid, token, media) => {
      const call = running.get(callSid);
      const isAllowed = call !== undefined && (await deps.directory.redeemToken(callSid, token));
      return isAllowed && call.open(media) ? call : null;
    },
    activeCount: (businessId) => {
      const active = [...running.values()].filter((call) => !call.isOver());
      return businessId === undefined
        ? active.length
        : active.filter((call) => call.plan.businessId === businessId).length;
    },
    drain: async (limitMs) => {
      const limit = setTimeout(() => running.forEach((call) => call.receive({ kind: 'drain' })), limitMs);
      while (running.size > 0) await Promise.all([...running.values()].map((call) => call.published.then(nextTurn)));
      clearTimeout(limit);
    },
  };
}

/** Lets the map forget a call that was just published. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
