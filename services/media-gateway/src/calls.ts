import type { CallEnded } from '@pipeline/contracts';
import type { CallDirectory } from './call-directory.ts';
import { planOfRecord, type CallRecord } from './call-record.ts';
import type { CallLimits, CallPlan } from './call/call.ts';
import { RunningCall, type CallDeps, type MediaStream } from './running-call.ts';

/** The calls of this process, from their answer until their event is stored or another process has them. */
export type Calls = {
  /** Answers a call, or returns the one that is running under this CallSid. */
  start(plan: Omit<CallPlan, 'startedAt'> & { readonly startedAt?: number }): RunningCall;
  /** A call that waits for its media stream here is forgotten when another process opens it. */
  awaitStream(call: RunningCall): void;
  /** Takes up a call that other processes answered or lost, to end it. */
  adopt(callSid: string, record: Exclude<CallRecord, { state: 'published' }>): RunningCall;
  find(callSid: string): RunningCall | undefined;
  /** Opens the media stream of the call, whoever answered it, for a valid token; `null` refuses it. */
  openStream(callSid: string, token: string, media: MediaStream): Promise<RunningCall | null>;
  /** Calls that are not over, of one business or of all. */
  activeCount(businessId?: string): number;
  /** Whether a call is here and not over. */
  isActive(callSid: string): boolean;
  /** Waits until all calls are over and published; those that last longer than `limitMs` are ended. */
  drain(limitMs: number): Promise<void>;
};

type CallsDeps = Pick<CallDeps, 'agent' | 'publish' | 'logger'> & {
  readonly directory: CallDirectory;
  readonly limits: CallLimits;
  readonly onOver: (plan: CallPlan) => void;
  readonly onEnded: (event: CallEnded) => void;
};

export function createCalls(deps: CallsDeps): Calls {
  const running = new Map<string, RunningCall>();

  const onHandedOver = (event: CallEnded): void => {
    void deps.directory
      .markPublished(event.callSid, event.data.call.endedReason)
      .finally(() => running.delete(event.callSid));
    // Last: whatever it throws, the call is forgotten and a drain ends.
    deps.onEnded(event);
  };

  const start: Calls['start'] = (plan) => {
    const { callSid } = plan;
    const present = running.get(callSid);
    if (present !== undefined) return present;
    const call: RunningCall = new RunningCall(plan, {
      ...deps,
      onOver: () => {
        deps.onOver(call.plan);
        tellWhoeverIsAsked(call, deps.directory);
      },
      onHandedOver,
      onElsewhere: () => {
        running.delete(callSid);
        deps.directory.forget(callSid);
      },
    });
    running.set(callSid, call);
    return call;
  };
  const adopt: Calls['adopt'] = (callSid, record) => start(planOfRecord(callSid, record, deps.limits));

  return {
    start,
    adopt,
    awaitStream: (call) => {
      const noLonger = new AbortController();
      void call.whenNotWaiting.then(() => noLonger.abort());
      void deps.directory.untilTaken(call.plan.callSid, noLonger.signal).then((isTaken) => isTaken && call.leave());
    },
    find: (callSid) => running.get(callSid),
    openStream: async (callSid, token, media) => {
      const record = await deps.directory.openStream(callSid, token);
      if (record === null) return null;
      const call = adopt(callSid, record);
      return call.open(media) ? call : null;
    },
    activeCount: (businessId) => {
      const active = [...running.values()].filter((call) => !call.isOver());
      return businessId === undefined
        ? active.length
        : active.filter((call) => call.plan.businessId === businessId).length;
    },
    isActive: (callSid) => running.get(callSid)?.isOver() === false,
    drain: async (limitMs) => {
      const limit = setTimeout(() => running.forEach((call) => call.receive({ kind: 'drain' })), limitMs);
      while (running.size > 0) await Promise.all([...running.values()].map((call) => call.settled.then(nextTurn)));
      clearTimeout(limit);
    },
  };
}

/**
 * After a media stream that we closed Twilio asks what comes next, perhaps another process, which would wait for the publication. A
 * caller who has hung up is asked for by nobody.
 */
function tellWhoeverIsAsked(call: RunningCall, directory: Pick<CallDirectory, 'noteEnd'>): void {
  const reason = call.endReason();
  if (reason === null || reason === 'stream_stopped' || !call.isClosing()) return;
  void directory.noteEnd(call.plan.callSid, reason);
}

/** Lets the map forget a call that was just settled. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
