import { analysisOf, phoneSchema, type BusinessSettings } from '@pipeline/contracts';
import type { Logger } from '@pipeline/runtime';
import type { SettingsSource } from './adapters/settings.ts';
import type { Arrivals } from './arrivals.ts';
import type { BusinessRoom } from './business-room.ts';
import type { CallDirectory, KnownCall } from './call-directory.ts';
import { factsOf } from './call-record.ts';
import type { CallLimits, CallPlan } from './call/call.ts';
import type { Calls } from './calls.ts';
import { inTime } from './in-time.ts';
import type { RunningCall } from './running-call.ts';

/** What the signed voice webhook says of a call that rings. */
export type RingingCall = {
  readonly callSid: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly direction: 'inbound' | 'outbound';
};

/** What the caller gets. Only `connected` starts a call. */
export type Answer =
  | { readonly kind: 'connected'; readonly token: string }
  /** Full, here or for this business, or stopping. An outbound call is published all the same, when it has ended. */
  | { readonly kind: 'busy' }
  /** Nobody owns the number. */
  | { readonly kind: 'unknown_number' }
  /** The settings cannot be read and no copy is at hand. */
  | { readonly kind: 'unavailable' }
  /** The call is in progress or over: a request that was sent again. */
  | { readonly kind: 'repeated' };

export type AnswerDeps = {
  readonly settings: SettingsSource;
  readonly calls: Calls;
  readonly directory: CallDirectory;
  readonly limits: CallLimits;
  readonly room: Pick<BusinessRoom, 'take'>;
  readonly arrivals: Arrivals;
  /** Whether this process takes a call besides those that are `before` it. */
  readonly hasRoom: (before: number) => boolean;
  readonly logger: Logger;
};

/** Of the time for an answer: a database that hangs leaves enough to tell the other processes of the call. */
const SETTINGS_DEADLINE_MS = 4_000;
const away: KnownCall = { kind: 'away' };

/**
 * Answers a call: finds its business, checks that there is room, and starts it. A request that was sent again starts nothing. `signal` is
 * the deadline of the whole: what has not been heard of the other processes by then is decided here alone.
 */
export async function answerCall(ringing: RingingCall, deps: AnswerDeps, signal: AbortSignal): Promise<Answer> {
  const { callSid } = ringing;
  const known = await inTime(deps.directory.look(callSid), signal).catch(() => away);
  const isRunning = deps.calls.find(callSid) !== undefined;
  if (known.kind === 'answered' || isRunning) return connected(await deps.directory.renewToken(callSid, signal));
  if (known.kind === 'owned' || known.kind === 'published' || known.kind === 'refused') return { kind: 'repeated' };

  const business = await businessOf(ringing, deps, signal);
  if (typeof business === 'string') return { kind: business };
  const call = await startWithin(ringing, business, deps, signal);
  if (call === null) return refuse(ringing, business, deps);
  const token = await deps.directory.register(call.plan, signal);
  if (token === null) call.leave();
  else deps.calls.awaitStream(call);
  return connected(token);
}

/** Starts a call that has a place, here and in its business; `null` when one of them is full. */
async function startWithin(
  ringing: RingingCall,
  business: BusinessSettings,
  { arrivals, calls, hasRoom, limits, room }: AnswerDeps,
  signal: AbortSignal,
): Promise<RunningCall | null> {
  const { callSid } = ringing;
  const leaveRow = arrivals.enter(callSid, business.id);
  try {
    if (!hasRoom(arrivals.countBefore(callSid))) return null;
    if (!(await room.take(business.id, callSid, business.max_concurrent_calls, signal))) return null;
    return calls.start(planOf(ringing, business, limits));
  } finally {
    leaveRow();
  }
}

/**
 * A caller hears a busy tone, and there was no call. Whom the business called has answered, and is hung up on: the business has to
 * learn of it, so its end is published when the status callback comes.
 */
async function refuse(ringing: RingingCall, business: BusinessSettings, deps: AnswerDeps): Promise<Answer> {
  const { callSid, direction } = ringing;
  const plan = { ...planOf(ringing, business, deps.limits), startedAt: Date.now() };
  if (direction === 'outbound') await deps.directory.noteRefused(callSid, factsOf(plan));
  return { kind: 'busy' };
}

/** The business whose number was dialled, or which dials. It comes from our settings and never from what was sent. */
export async function businessOf(
  ringing: RingingCall,
  deps: Pick<AnswerDeps, 'settings' | 'logger'>,
  signal: AbortSignal,
): Promise<BusinessSettings | 'unknown_number' | 'unavailable'> {
  const number = phoneSchema.safeParse(ringing.direction === 'inbound' ? ringing.to : ringing.from);
  if (!number.success) return 'unknown_number';
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(SETTINGS_DEADLINE_MS)]);
    return (await deps.settings.byPhone(number.data, limit)) ?? 'unknown_number';
  } catch (error) {
    deps.logger.error({ callSid: ringing.callSid, err: error }, 'the business of a call cannot be looked up');
    return 'unavailable';
  }
}

/** Everything that a call needs of its business, copied: what is changed meanwhile counts from the next call on. */
export function planOf(
  ringing: RingingCall,
  business: BusinessSettings,
  limits: CallLimits,
): Omit<CallPlan, 'startedAt'> {
  const { instructions, voice, greeting } = business.agent;
  const { language, keywords } = business;
  return {
    ...ringing,
    businessId: business.id,
    analysis: analysisOf(business),
    agent: { callSid: ringing.callSid, instructions, voice, language, keywords },
    greeting,
    limits,
  };
}

/** Without a token the call is further than that. */
function connected(token: string | null): Answer {
  return token === null ? { kind: 'repeated' } : { kind: 'connected', token };
}
