import { businessOf, planOf, type AnswerDeps, type RingingCall } from './answer-call.ts';
import type { KnownCall } from './call-directory.ts';
import { FINAL_STATUSES, type CallInput, type FinalStatus } from './call/call.ts';
import { inTime } from './in-time.ts';
import type { RunningCall } from './running-call.ts';

/** What the signed status callback says. */
export type CallStatus = RingingCall & { readonly status: string };

/** `noted` lets Twilio forget the callback; `unnoted` makes it come again. */
export type Noted = { readonly kind: 'noted' } | { readonly kind: 'unnoted' } | { readonly kind: 'not_ours' };

type Told = RingingCall & { readonly status: FinalStatus };

/**
 * Ends a call by its status callback, whichever process it reaches. It is noted only when `call.ended` is stored, now or before;
 * `signal` ends the wait.
 *
 * Only the process of the media stream has the live transcript, and whichever event is stored first stands. So a process that does not
 * carry the call publishes nothing while it may be carried: it follows the call until somebody has published it, its owner is
 * silent, or it is clear that no media stream ever opened. This goes on when Twilio has given up waiting for the answer.
 */
export async function noteStatus(told: CallStatus, deps: AnswerDeps, signal: AbortSignal): Promise<Noted> {
  const status = FINAL_STATUSES.find((final) => final === told.status);
  if (status === undefined) return { kind: 'noted' };
  const ended = { ...told, status };
  const here = await endHere(deps.calls.find(told.callSid), endOf(ended), signal);
  if (here !== 'elsewhere') return { kind: here };
  for await (const known of deps.directory.follow(told.callSid, signal)) {
    const noted = await react(ended, known, deps, signal);
    if (noted !== 'elsewhere') return { kind: noted };
  }
  return { kind: 'unnoted' };
}

/** What one look at the call leads to; `elsewhere`: look again. */
async function react(
  told: Told,
  known: KnownCall,
  deps: AnswerDeps,
  signal: AbortSignal,
): Promise<Noted['kind'] | 'elsewhere'> {
  const call = deps.calls.find(told.callSid);
  if (call !== undefined) return endHere(call, endOf(told), signal);
  switch (known.kind) {
    case 'published':
      return 'noted';
    case 'answered':
      return endHere(deps.calls.adopt(told.callSid, known.record), endOf(told), signal);
    case 'refused': {
      // Twilio calls it completed, like any conversation.
      const end = told.status === 'completed' ? ({ kind: 'refused' } as const) : endOf(told);
      return endHere(deps.calls.adopt(told.callSid, known.record), end, signal);
    }
    case 'owned': {
      if (!known.isSilent) return 'elsewhere';
      const isOurs = await deps.directory.takeOver(told.callSid, known.record.owner).catch(() => false);
      if (!isOurs) return 'elsewhere';
      deps.logger.warn({ callSid: told.callSid }, 'the gateway of a call is silent, the call is ended without it');
      return endHere(deps.calls.adopt(told.callSid, known.record), endOf(told), signal);
    }
    case 'unknown':
      return neverAnswered(told, deps, signal);
    case 'away':
      // What never connected has no media stream anywhere, so it need not be known: it waits in memory for the broker.
      return told.status === 'completed' ? 'elsewhere' : neverAnswered(told, deps, signal);
  }
}

/** A call that no gateway answered: it never connected, or the caller was refused and it never was a call. */
async function neverAnswered(told: Told, deps: AnswerDeps, signal: AbortSignal): Promise<Noted['kind'] | 'elsewhere'> {
  // An inbound call ends as busy when we refused it ourselves.
  if (told.status === 'completed' || (told.status === 'busy' && told.direction === 'inbound')) return 'not_ours';
  const business = await businessOf(told, deps, signal);
  if (business === 'unknown_number') return 'not_ours';
  if (business === 'unavailable') return 'unnoted';
  return endHere(deps.calls.start(planOf(told, business, deps.limits)), endOf(told), signal);
}

function endOf({ status }: Told): CallInput {
  return { kind: 'final_status', status };
}

async function endHere(
  call: RunningCall | undefined,
  end: CallInput,
  signal: AbortSignal,
): Promise<'noted' | 'unnoted' | 'elsewhere'> {
  if (call === undefined) return 'elsewhere';
  call.receive(end);
  // What a call comes to is never rejected: only the signal is.
  const outcome = await inTime(call.settled, signal).catch(() => null);
  if (outcome === null) return 'unnoted';
  return outcome === 'stored' ? 'noted' : 'elsewhere';
}
