import type { CallEnded } from '@pipeline/contracts';
import type { Logger } from '@pipeline/runtime';
import type { Agent, AgentConnection, AgentEvent, AgentSession } from './agent.ts';
import { newCall, type CallEffect, type CallInput, type CallPlan, type Step, type TimerName } from './call/call.ts';
import type { EndReason } from './call/end-reasons.ts';
import { reduce } from './call/reduce.ts';

/** The media stream of a call, as far as the call needs it. Nothing of it throws. */
export type MediaStream = {
  play(payload: string, mark: string): void;
  clear(): void;
  close(): void;
};

/** `stored`: the stream has `call.ended`. `elsewhere`: another process has this call, and its end. */
export type CallOutcome = 'stored' | 'elsewhere';

export type CallDeps = {
  readonly agent: Agent;
  /** Resolved when the stream has the event or another process has the call, however long that takes. */
  readonly publish: (event: CallEnded) => Promise<CallOutcome>;
  /** The call is over; its event is not published yet. */
  readonly onOver: () => void;
  readonly onHandedOver: (event: CallEnded) => void;
  /** Another process has the call: nothing of it is done here any more. */
  readonly onElsewhere: () => void;
  readonly logger: Logger;
};

/**
 * One call that is carried here, from its answer to its hand-over: the pure state, and the hands that do what it asks for.
 * Invariants:
 * R1 an effect may cause the next input before it returns; inputs are worked one after another, in the order they came;
 * R2 the clock is the call's own: setting the machine's clock changes no duration;
 * R3 an effect that throws costs itself and nothing else: the call still ends once and publishes. A session that cannot be
 *    opened is one that is lost.
 */
export class RunningCall {
  readonly plan: CallPlan;
  /** Resolved when this process has nothing left to do for the call. Never rejected. */
  readonly settled: Promise<CallOutcome>;
  /** Resolved when the call does not wait for its media stream any more, for whatever reason. */
  readonly whenNotWaiting: Promise<void>;
  readonly #deps: CallDeps;
  readonly #logger: Logger;
  readonly #clock = startClock();
  readonly #timers = new Map<TimerName, NodeJS.Timeout>();
  readonly #inbox: CallInput[] = [];
  readonly #settled = Promise.withResolvers<CallOutcome>();
  readonly #notWaiting = Promise.withResolvers<void>();
  /** Kinds of effects that have thrown: each is said once, because audio comes 50 times a second. */
  readonly #failed = new Set<CallEffect['kind']>();
  #step: Step;
  #isBusy = false;
  #isGone = false;
  #media: MediaStream | null = null;
  #agent: AgentConnection | null = null;

  /** `startedAt` is now for a call that is answered here and now. */
  constructor(answered: Omit<CallPlan, 'startedAt'> & { readonly startedAt?: number }, deps: CallDeps) {
    this.plan = { startedAt: this.#clock(), ...answered };
    this.settled = this.#settled.promise;
    this.whenNotWaiting = this.#notWaiting.promise;
    this.#deps = deps;
    this.#logger = deps.logger.child({ callSid: answered.callSid, businessId: answered.businessId });
    this.#step = newCall(this.plan);
    for (const effect of this.#step.effects) this.#attempt(effect);
  }

  /** Answered, and no media stream was opened yet. */
  isWaiting(): boolean {
    return !this.#isGone && this.#step.call.phase === 'answered';
  }

  isOver(): boolean {
    return this.#step.call.phase !== 'answered' && this.#step.call.phase !== 'live';
  }

  /** Over, and the caller's last words are still awaited. */
  isClosing(): boolean {
    return this.#step.call.phase === 'closing';
  }

  /** Why it ended; `null` while it lasts. */
  endReason(): EndReason | null {
    return this.#step.call.end?.reason ?? null;
  }

  /** Opens the media stream: true once, false for a second one or when the call is over. */
  open(media: MediaStream): boolean {
    if (!this.isWaiting()) return false;
    this.#media = media;
    this.receive({ kind: 'media_started' });
    return true;
  }

  /** Another process has opened the media stream, or ends the call: forgets a call that only waited for it here. */
  leave(): void {
    if (!this.isWaiting()) return;
    this.#isGone = true;
    this.#notWaiting.resolve();
    this.#stopTimers();
    this.#goElsewhere();
  }

  receive(input: CallInput): void {
    if (this.#isGone) return;
    if (this.#isBusy) return void this.#inbox.push(input);
    this.#isBusy = true;
    try {
      // As a rule nothing waits, and audio, 50 times a second, need not be queued to be first in line.
      if (this.#inbox.length === 0) this.#work(input);
      else this.#inbox.push(input);
      for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) this.#work(next);
    } finally {
      this.#isBusy = false;
    }
  }

  #work(input: CallInput): void {
    if (input.kind === 'agent_lost') this.#warnOfLoss(input.reason);
    const before = this.#step.call.phase;
    const wasOver = this.isOver();
    this.#step = reduce(this.#step.call, input, this.#clock());
    if (this.#step.call.phase !== before) {
      this.#notWaiting.resolve();
      if (this.isOver() && !wasOver) this.#deps.onOver();
    }
    for (const effect of this.#step.effects) this.#attempt(effect);
  }

  #warnOfLoss(reason: string): void {
    this.#logger.warn({ reason }, "the agent's session is lost");
  }

  #attempt(effect: CallEffect): void {
    try {
      this.#perform(effect);
    } catch (error) {
      if (this.#failed.has(effect.kind)) return;
      this.#failed.add(effect.kind);
      this.#logger.error({ err: error, kind: effect.kind }, 'an effect of the call failed');
    }
  }

  #perform(effect: CallEffect): void {
    switch (effect.kind) {
      case 'connect_agent':
        return this.#connect(effect.session);
      case 'append_audio':
        return this.#agent?.append(effect.payload);
      case 'speak':
        return this.#agent?.speak(effect.text);
      case 'commit_audio':
        return this.#agent?.commit();
      case 'truncate':
        return this.#agent?.truncate(effect.itemId, effect.heardMs);
      case 'close_agent':
        if (effect.lostBy !== undefined) this.#warnOfLoss(effect.lostBy);
        return this.#agent?.close();
      case 'play_audio':
        return this.#media?.play(effect.payload, effect.mark);
      case 'clear_audio':
        return this.#media?.clear();
      case 'close_media':
        return this.#media?.close();
      case 'set_timer':
        return this.#setTimer(effect.timer, effect.ms);
      case 'publish':
        return this.#publish(effect.event);
      case 'hand_over':
        return this.#handOver(effect.event);
    }
  }

  /** A session that could not be opened is heard of no more, and has ended with exactly one `agent_lost` all the same. */
  #connect(session: AgentSession): void {
    let isLost = false;
    const report = (event: AgentEvent): void => {
      if (isLost) return;
      isLost = event.kind === 'agent_lost';
      this.receive(event);
    };
    this.#agent = null;
    try {
      this.#agent = this.#deps.agent.connect(session, report);
    } catch (error) {
      report({ kind: 'agent_lost', reason: 'not_opened' });
      throw error;
    }
  }

  #setTimer(timer: TimerName, ms: number): void {
    clearTimeout(this.#timers.get(timer));
    const timeout = setTimeout(() => this.receive({ kind: 'timer', timer }), ms);
    this.#timers.set(timer, timeout);
  }

  #stopTimers(): void {
    for (const timeout of this.#timers.values()) clearTimeout(timeout);
  }

  #publish(event: CallEnded): void {
    this.#stopTimers();
    this.#deps.publish(event).then(
      (outcome) => (outcome === 'stored' ? this.receive({ kind: 'published' }) : this.#goElsewhere()),
      (error: unknown) => this.#logger.error({ err: error, eventId: event.id }, 'call.ended was given up'),
    );
  }

  #goElsewhere(): void {
    this.#settled.resolve('elsewhere');
    this.#deps.onElsewhere();
  }

  #handOver(event: CallEnded): void {
    const { endedReason, durationSec } = event.data.call;
    this.#logger.info(
      { eventId: event.id, endedReason, durationSec, count: event.data.liveTranscript?.length ?? 0 },
      `[CALL] ✅ Call ended for ${event.callSid}: the pipeline will handle everything (transcript, summary, fields, webhook)`,
    );
    this.#settled.resolve('stored');
    this.#deps.onHandedOver(event);
  }
}

function startClock(): () => number {
  const offset = Date.now() - performance.now();
  return () => Math.round(offset + performance.now());
}
