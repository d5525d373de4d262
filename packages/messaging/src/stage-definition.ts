import type {
  CallErase,
  EventOf,
  EventType,
  Failure,
  OutboundEvent,
  PaidSteps,
  Received,
  StageName,
  STAGES,
} from '@pipeline/contracts';
import type { Log } from './log.ts';
import type { StageTiming } from './stage-timing.ts';

/** The event that a stage consumes. */
export type StageEvent<S extends StageName> = EventOf<(typeof STAGES)[S]['consumes']>;

/** Where a stage reports to; the runtime's stage metrics fit. `ms` is the time from receiving to settling. */
export type StageMetrics = {
  onSettled(settlement: {
    readonly stage: string;
    readonly outcome: 'done' | 'already_done' | 'handed_on' | 'retried' | 'dead';
    readonly ms: number;
  }): void;
  onPaused(stage: string, reason: string, paused: boolean): void;
};

/** What every consumer needs beside its work. */
type Running = {
  /** Passes a crash point of the fault tests. */
  readonly crashPoint: (point: string) => void;
  readonly timing: StageTiming;
  readonly logger: Log;
  readonly metrics: StageMetrics;
};

/** What a stage has with the event that it works. */
export type InHand = {
  /** What was paid at an earlier delivery of this message, whichever process it came to; what is paid now goes through it too. */
  readonly paid: PaidSteps;
  /** The trace that the event is part of (W3C `traceparent`), for what leaves the pipeline; undefined when it names none. */
  readonly traceparent: string | undefined;
};

/** A stage: message in, messages out. The runner acknowledges when what is returned is published. */
export type StageDefinition<S extends StageName = StageName> = Running & {
  readonly stage: S;
  /** `tr`, `sm` or `ex`: `<prefix>.before_ack` is passed between publishing and acknowledging. */
  readonly crashPrefix?: string;
  /** Works one event. A PermanentError leads to `handOn`; everything else is retried until its deadline. */
  handle(event: Received<StageEvent<S>>, inHand: InHand, signal: AbortSignal): Promise<readonly OutboundEvent[]>;
  /** Hands the call on with this stage's part failed. When it fails itself, the message is retried. */
  handOn(event: Received<StageEvent<S>>, failure: Failure, signal: AbortSignal): Promise<readonly OutboundEvent[]>;
  /**
   * Looks whether this work is done already, before anything is paid: null when not, else what must be (again) published before
   * the acknowledgement. Default: the last message on the call's next subject has our revision or a higher one.
   */
  ownResult?(event: Received<StageEvent<S>>, signal: AbortSignal): Promise<readonly OutboundEvent[] | null>;
};

/** The consumer of erase commands. A command has no part that may fail: it is retried until it is done. */
export type CommandDefinition = Running & {
  handle(event: Received<CallErase>, signal: AbortSignal): Promise<readonly OutboundEvent[]>;
};

/** The answer of a readiness check; `reason` is for the operator. */
export type Readiness = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export type Stage = {
  /** Takes no new message and resolves when what is in hand is settled. Never rejects. */
  stop(): Promise<void>;
  /** Bound, configured as expected, and its pulls are answered. */
  readiness(): Readiness;
};

/** Stage and command consumer in one form, as the runner takes them. `handOn` null: retry instead. */
export type Work = Omit<Running, 'crashPoint'> & {
  readonly consumer: string;
  readonly consumes: EventType;
  readonly produces: EventType | null;
  beforeAck(): void;
  handle(event: Received<OutboundEvent>, inHand: InHand, signal: AbortSignal): Promise<readonly OutboundEvent[]>;
  readonly handOn:
    | ((event: Received<OutboundEvent>, failure: Failure, signal: AbortSignal) => Promise<readonly OutboundEvent[]>)
    | null;
  ownResult(event: Received<OutboundEvent>, signal: AbortSignal): Promise<readonly OutboundEvent[] | null>;
};
