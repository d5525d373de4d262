import type { CallEnded } from '@pipeline/contracts';
import type { Logger } from '@pipeline/runtime';
import type { Agent, AgentConnection } from './agent.ts';
import { newCall, type CallEffect, type CallInput, type CallPlan, type Step, type TimerName } from './call/call.ts';
import { reduce } from './call/reduce.ts';

/** The media stream of a call, as far as the call needs it. Nothing of it throws. */
export type MediaStream = {
  play(payload: string, mark: string): void;
  clear(): void;
  close(): void;
};

export type CallDeps = {
  readonly agent: Agent;
  /** Resolved when the stream has the event, however long that takes. */
  readonly publish: (event: CallEnded) => Promise<void>;
  readonly onHandedOver: (event: CallEnded) => void;
  readonly logger: Logger;
};

/**
 * One call that was answered here, from its answer to its hand-over: the pure state, and the hands that do what it asks for.
 * Invariants:
 * R1 an effect may cause the next input before it returns; inputs are worked one after another, in the order they came;
 * R2 the clock is the call's own: setting the machine's clock changes no duration.
 */
export class RunningCall {
  readonly plan: CallPlan;
  /** Resolved when the stream has `call.ended`. Never rejected. */
  readonly published: Promise<void>;
  readonly #deps: CallDeps;
  readonly #logger: Logger;
  readonly #clock = startClock();
  readonly #timers = new Map<TimerName, NodeJS.Timeout>();
  readonly #inbox: CallInput[] = [];
  readonly #handedOver = Promise.withResolvers<void>();
  #step: Step;
  #isBusy = false;
  #media: MediaStream | null = null;
  #agent: AgentConnection | null = null;

  constructor(answered: Omit<CallPlan, 'startedAt'>, deps: CallDeps) {
    this.plan = { ...answered, startedAt: this.#clock() };
    this.published = this.#handedOver.promise;
    this.#deps = deps;
    this.#logger = deps.logger.child({ callSid: answered.callSid, businessId: answered.businessId });
    this.#step = newCall(this.plan);
    for (const effect of this.#step.effects) this.#perform(effect);
  }

  /** Answered, and no media stream was opened yet. */
  isWaiting(): boolean {
    return this.#step.call.phase === 'answered';
  }

  isOver(): boolean {
    return this.#step.call.phase !== 'answered' && this.#step.call.phase !== 'live';
  }

  /** Opens the media stream: true once, false for a second one or when the call is over. */
  open(media: MediaStream): boolean {
    if (!this.isWaiting()) return false;
    this.#media = media;
    this.receive({ kind: 'media_started' });
    return true;
  }

  receive(input: CallInput): void {
    this.#inbox.push(input);
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
      if (next.kind === 'agent_lost') this.#logger.warn({ reason: next.reason }, "the agent's session is lost");
      this.#step = reduce(this.#step.call, next, this.#clock());
      for (const effect of this.#step.effects) this.#perform(effect);
    }
    this.#isBusy = false;
  }

  #perform(effect: CallEffect): void {
    switch (effect.kind) {
      case 'connect_agent':
        this.#agent = this.#deps.agent.connect(effect.session, (event) => this.receive(event));
        return;
      case 'append_audio':
        return this.#agent?.append(effect.payload);
      case 'speak':
        return this.#agent?.speak(effect.text);
      case 'commit_audio':
        return this.#agent?.commit();
      case 'truncate':
        return this.#agent?.truncate(effect.itemId, effect.heardMs);
      case 'close_agent':
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

  #setTimer(timer: TimerName, ms: number): void {
    clearTimeout(this.#timers.get(timer));
    const timeout = setTimeout(() => this.receive({ kind: 'timer', timer }), ms);
    this.#timers.set(timer, timeout);
  }

  #publish(event: CallEnded): void {
    for (const timeout of this.#timers.values()) clearTimeout(timeout);
    this.#deps.publish(event).then(
      () => this.receive({ kind: 'published' }),
      (error: unknown) => this.#logger.error({ err: error, eventId: event.id }, 'call.ended was given up'),
    );
  }

  #handOver(event: CallEnded): void {
    const { endedReason, durationSec } = event.data.call;
    this.#logger.info(
      { eventId: event.id, endedReason, durationSec, count: event.data.liveTranscript?.length ?? 0 },
      `[CALL] ✅ Call ended for ${event.callSid}: the pipeline will handle everything (transcript, summary, fields, webhook)`,
    );
    this.#deps.onHandedOver(event);
    this.#handedOver.resolve();
  }
}

function startClock(): () => number {
  const offset = Date.now() - performance.now();
  return () => Math.round(offset + performance.now());
}
