import {
  createPaidSteps,
  failureOf,
  type Failure,
  type OutboundEvent,
  type PauseReason,
  type Received,
} from '@pipeline/contracts';
import { asRetryable } from './broker-error.ts';
import type { ClaimReference } from './event-headers.ts';
import { parseEvent, type DeadReading, type EventReading } from './event-message.ts';
import { acknowledge, bury, giveBackUnworked, publishAll, traceparentOf, type Context } from './settling.ts';
import { decide, retryDelay, type FailedTry } from './settle-rules.ts';
import { beginAgain, forgetDeaths, UNSUSPECTED, type Suspicion } from './suspicion.ts';
import type { Settled } from './wide-line.ts';

/**
 * A context whose message is an event. `event` is replaced when its large parts arrive. `paid` are
 * the outcomes of steps that cost something, now or at an earlier delivery; `isPaidStored` when a store may hold some of them.
 */
type Task = Context & {
  event: Received<OutboundEvent>;
  suspicion: Suspicion;
  paid: Map<string, unknown>;
  isPaidStored: boolean;
};

const CRASHED: DeadReading = { kind: 'dead', code: 'WORKER_CRASHED', reason: 'the message killed its worker' };
/** Milliseconds until a message comes again that was aborted at the end of the grace period. */
const ABORTED_AGAIN_MS = 1_000;

/** Works one valid event and settles its message, whatever happens. Does not reject. */
export async function workEvent(context: Context, reading: EventReading & { kind: 'event' }): Promise<Settled> {
  const attempt = context.message.info.deliveryCount;
  const task: Task = {
    ...context,
    event: { ...reading.event, attempt },
    suspicion: UNSUSPECTED,
    paid: new Map(),
    isPaidStored: false,
  };
  try {
    return await tryOnce(task, reading.claim);
  } catch (error) {
    return afterFailure(task, error);
  }
}

async function tryOnce(task: Task, claim: ClaimReference | null): Promise<Settled> {
  const { work, signal } = task;
  if (task.event.attempt > 1) {
    const suspicion = await beginAgain(task, messageKey(task));
    if (suspicion === null) return giveBackUnworked(task.message, work.timing.RETRY_BASE_MS);
    task.suspicion = suspicion;
  }
  await recallPaid(task);
  const published = await work.ownResult(task.event, signal);
  if (published !== null) {
    await publishAll(task, published);
    await finish(task);
    return { outcome: 'already_done' };
  }
  const content = claim === null ? 'whole' : await fetchLargeParts(task, claim);
  if (content === 'gone') return handOn(task, failureOf('OBJECT_MISSING'));
  if (content !== 'whole') return buryEvent(task, content);
  if (task.suspicion.standing === 'guilty') return giveUp(task);
  const inHand = { paid: createPaidSteps(task.paid), traceparent: traceparentOf(task.message) };
  await publishAll(task, await work.handle(task.event, inHand, signal));
  work.beforeAck();
  await finish(task);
  return { outcome: 'done' };
}

/** Replaces the event's remainder by the whole event. */
async function fetchLargeParts(task: Task, claim: ClaimReference): Promise<'whole' | 'gone' | DeadReading> {
  const found = await task.parts.claims.get(claim);
  if (found.kind !== 'found') return 'gone';
  const reading = parseEvent(task.work.consumes, task.message.subject, found.bytes);
  if (reading.kind === 'dead') return reading;
  task.event = { ...reading.event, attempt: task.event.attempt };
  return 'whole';
}

/** A message that keeps killing its worker: a copy for a person, and the call goes on without this part. */
async function giveUp(task: Task): Promise<Settled> {
  if (task.work.handOn === null) return buryEvent(task, CRASHED);
  await task.parts.writeDeadLetter(task.message, task.work.consumer, CRASHED);
  return handOn(task, failureOf('WORKER_CRASHED'));
}

/** Hands the call on with this stage's part failed. When that fails too, the message comes again: a call is never lost. */
async function handOn(task: Task, failure: Failure, error?: unknown): Promise<Settled> {
  const { work, signal } = task;
  try {
    if (work.handOn === null) throw error;
    await publishAll(task, await work.handOn(task.event, failure, signal), true);
  } catch (handOnError) {
    return giveBack(task, handOnError, retryDelay(failedTry(task, handOnError), work.timing));
  }
  work.beforeAck();
  await finish(task);
  return { outcome: 'handed_on', failure, error };
}

async function afterFailure(task: Task, error: unknown): Promise<Settled> {
  if (task.signal.aborted) return giveBack(task, error, ABORTED_AGAIN_MS);
  const decision = decide(failedTry(task, error), task.work.timing);
  switch (decision.kind) {
    case 'again':
      return giveBack(task, error, decision.delayMs);
    case 'pause':
      return giveBack(task, error, decision.delayMs, decision.reason);
    case 'part_failed':
      return handOn(task, decision.failure, error);
  }
}

async function giveBack(
  task: Task,
  error: unknown,
  delayMs: number,
  pause: PauseReason | null = null,
): Promise<Settled> {
  // Who is given up stays given up: clearing the count would let the message kill three more workers.
  if (task.suspicion.standing !== 'guilty') await forgetDeaths(task, messageKey(task), task.suspicion);
  await keepPaid(task);
  task.message.nak(delayMs);
  return { outcome: 'retried', delayMs, pause, error };
}

async function finish(task: Task): Promise<void> {
  await forgetDeaths(task, messageKey(task), task.suspicion);
  await forgetPaid(task);
  await acknowledge(task);
}

async function buryEvent(task: Task, why: DeadReading): Promise<Settled> {
  await forgetDeaths(task, messageKey(task), task.suspicion);
  await forgetPaid(task);
  return bury(task, why);
}

function messageKey({ work, event }: Task) {
  return { stage: work.consumer, callSid: event.callSid, revision: event.revision };
}

async function recallPaid(task: Task): Promise<void> {
  if (task.event.attempt === 1) return;
  task.paid = await task.parts.paid.recall(messageKey(task));
  task.isPaidStored = task.paid.size > 0;
}

/** Before the message is given back: whoever gets it next must find it. Nobody pays in vain because of a shutdown either. */
async function keepPaid(task: Task): Promise<void> {
  if (task.paid.size > 0) await task.parts.paid.keep(messageKey(task), task.paid);
}

async function forgetPaid(task: Task): Promise<void> {
  if (task.isPaidStored) await task.parts.paid.forget(messageKey(task));
}

function failedTry({ parts, message, event }: Task, error: unknown): FailedTry {
  const messageAtMs = message.info.timestampNanos / 1_000_000;
  return { error: asRetryable(error), attempt: event.attempt, messageAtMs, nowMs: parts.now(), random: Math.random() };
}
