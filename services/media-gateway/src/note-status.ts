import { businessOf, planOf, type AnswerDeps, type RingingCall } from './answer-call.ts';
import { FINAL_STATUSES, type FinalStatus } from './call/call.ts';
import type { RunningCall } from './running-call.ts';

/** What the signed status callback says. */
export type CallStatus = RingingCall & { readonly status: string };

/** `noted` lets Twilio forget the callback; `unnoted` makes it come again. */
export type Noted = { readonly kind: 'noted' } | { readonly kind: 'unnoted' } | { readonly kind: 'not_ours' };

/**
 * Ends a call by its status callback. It is noted only when `call.ended` is stored, now or before; `signal` ends the wait.
 *
 * A call that another process answered cannot be told from one that nobody answered. One whose status says that it never
 * connected has no live transcript anywhere, so whoever hears of it publishes it: the event's id makes it one. A completed
 * one is left to the process that has it; if that is gone, the reconciler finds the call.
 */
export async function noteStatus(told: CallStatus, deps: AnswerDeps, signal: AbortSignal): Promise<Noted> {
  const status = FINAL_STATUSES.find((final) => final === told.status);
  if (status === undefined) return { kind: 'noted' };
  const call = deps.calls.find(told.callSid) ?? (await unanswered(told, status, deps, signal));
  if (typeof call === 'string') return { kind: call };
  call.receive({ kind: 'final_status', status });
  return { kind: (await isPublished(call, signal)) ? 'noted' : 'unnoted' };
}

async function unanswered(
  told: CallStatus,
  status: FinalStatus,
  deps: AnswerDeps,
  signal: AbortSignal,
): Promise<RunningCall | Noted['kind']> {
  if (await deps.directory.isPublished(told.callSid)) return 'noted';
  // An inbound call ends as busy when we refused it ourselves: it never was a call.
  if (status === 'completed' || (status === 'busy' && told.direction === 'inbound')) return 'not_ours';
  const business = await businessOf(told, deps, signal);
  if (business === 'unknown_number') return 'not_ours';
  if (business === 'unavailable') return 'unnoted';
  return deps.calls.start(planOf(told, business, deps.limits));
}

async function isPublished(call: RunningCall, signal: AbortSignal): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const giveUp = (): void => late.resolve(false);
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([call.published.then(() => true), late.promise]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
