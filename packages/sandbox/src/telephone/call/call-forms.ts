import { rfc2822, type TelephoneOptions } from '../account.ts';
import { isFinal, type Call } from './call.ts';

/** The fields of a request about a call, as a form. */
export type CallForm = Readonly<Record<string, string>>;

/** The voice webhook's form. */
export function voiceForm(call: Call, options: Pick<TelephoneOptions, 'accountSid'>): CallForm {
  return { ...callFields(call, options), ...places('From'), ...places('To'), ...places('Caller'), ...places('Called') };
}

/** The status callback's form; `CallDuration` only of a completed call. */
export function statusForm(call: Call, options: Pick<TelephoneOptions, 'accountSid'>): CallForm {
  const seconds = call.durationSec ?? 0;
  return {
    ...callFields(call, options),
    ...(call.status === 'completed'
      ? { CallDuration: String(seconds), Duration: String(Math.ceil(seconds / 60)) }
      : {}),
    ...(isFinal(call.status) ? { SipResponseCode: sipCode(call.status) } : {}),
    Timestamp: rfc2822(call.endedAt ?? Date.now()),
    CallbackSource: 'call-progress-events',
    SequenceNumber: '0',
  };
}

function callFields(call: Call, options: Pick<TelephoneOptions, 'accountSid'>): CallForm {
  return {
    AccountSid: options.accountSid,
    ApiVersion: '2010-04-01',
    CallSid: call.callSid,
    CallStatus: call.status,
    Called: call.to,
    Caller: call.from,
    Direction: call.direction,
    From: call.from,
    To: call.to,
  };
}

/** Twilio guesses places from the numbers and leaves empty what it does not know. */
function places(party: string): CallForm {
  return { [`${party}City`]: '', [`${party}State`]: '', [`${party}Zip`]: '', [`${party}Country`]: '' };
}

function sipCode(status: Call['status']): string {
  if (status === 'busy') return '486';
  return status === 'completed' ? '200' : '500';
}
