import type { BusinessSettings, CallErase, CallLog, OutboundEvent, Received } from '@pipeline/contracts';
import type { EraseOutcome } from './erase.ts';
import type { StoredCall } from './handler.ts';

export type ExpireDeps = {
  find(callSid: string, signal: AbortSignal): Promise<StoredCall>;
  settings(businessId: string, signal: AbortSignal): Promise<Pick<BusinessSettings, 'retention_days'> | null>;
  /** Empties the CallLog if it stands at this revision and its call ended before a time. */
  expire(
    call: Pick<CallLog, 'callSid' | 'businessId' | 'revision'> & { readonly endedBefore: Date },
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'expired' | 'kept' }>;
  report(callSid: string, outcome: EraseOutcome): void;
  /** Milliseconds since 1970. */
  now(): number;
};

const DAY_MS = 86_400_000;

/**
 * Ends the retention of a call: its CallLog becomes a shell. Whoever sent the command read the settings a while ago, so they are read
 * again: a business that meanwhile keeps its calls longer keeps this one. Nothing is announced.
 */
export async function expire(
  { callSid, businessId }: Received<CallErase>,
  deps: ExpireDeps,
  signal: AbortSignal,
): Promise<OutboundEvent[]> {
  const found = await deps.find(callSid, signal);
  if (found.kind !== 'call') return told(deps, callSid, 'already');
  const settings = await deps.settings(businessId, signal);
  if (settings === null) return told(deps, callSid, 'kept');
  const endedBefore = new Date(deps.now() - settings.retention_days * DAY_MS);
  const { kind } = await deps.expire({ callSid, businessId, revision: found.callLog.revision, endedBefore }, signal);
  return told(deps, callSid, kind);
}

function told({ report }: ExpireDeps, callSid: string, outcome: EraseOutcome): OutboundEvent[] {
  report(callSid, outcome);
  return [];
}
