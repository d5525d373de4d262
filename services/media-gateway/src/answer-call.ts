import { analysisOf, phoneSchema, type BusinessSettings } from '@pipeline/contracts';
import type { Logger } from '@pipeline/runtime';
import type { SettingsSource } from './adapters/settings.ts';
import type { CallDirectory } from './call-directory.ts';
import type { CallLimits, CallPlan } from './call/call.ts';
import type { Calls } from './calls.ts';

/** What the signed voice webhook says of a call that rings. */
export type RingingCall = {
  readonly callSid: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly direction: 'inbound' | 'outbound';
};

/** What the caller gets. Only `connected` starts a call; the others publish nothing. */
export type Answer =
  | { readonly kind: 'connected'; readonly token: string }
  /** Full, here or for this business, or stopping. */
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
  /** Whether this process takes another call at all. */
  readonly hasRoom: () => boolean;
  readonly logger: Logger;
};

/** Answers a call: finds its business, checks that there is room, and starts it. */
export async function answerCall(ringing: RingingCall, deps: AnswerDeps, signal: AbortSignal): Promise<Answer> {
  const running = deps.calls.find(ringing.callSid);
  if (running?.isWaiting() === true) return connected(ringing.callSid, deps);
  if (running !== undefined || (await deps.directory.isPublished(ringing.callSid))) return { kind: 'repeated' };

  const business = await businessOf(ringing, deps, signal);
  if (typeof business === 'string') return { kind: business };
  const isFull = deps.calls.activeCount(business.id) >= business.max_concurrent_calls;
  if (isFull || !deps.hasRoom()) return { kind: 'busy' };
  deps.calls.start(planOf(ringing, business, deps.limits));
  return connected(ringing.callSid, deps);
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
    return (await deps.settings.byPhone(number.data, signal)) ?? 'unknown_number';
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

async function connected(callSid: string, deps: AnswerDeps): Promise<Answer> {
  return { kind: 'connected', token: await deps.directory.issueToken(callSid) };
}
