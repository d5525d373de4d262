import type { CallErase, OutboundEvent, Received } from '@pipeline/contracts';

export type EraseDeps = {
  /** Puts the tombstone in place of a call, whether there was one or not. Repeating it changes nothing. */
  erase(
    call: { readonly callSid: string; readonly businessId: string; readonly revision: number },
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'erased' | 'already' | 'other_business' }>;
  report(callSid: string, outcome: 'erased' | 'already' | 'other_business'): void;
};

/** Forgets a call: from here on nothing of it is stored again. Whoever sent the command clears what else there is. */
export async function erase(
  event: Received<CallErase>,
  deps: EraseDeps,
  signal: AbortSignal,
): Promise<OutboundEvent[]> {
  const { callSid, businessId, revision } = event;
  const { kind } = await deps.erase({ callSid, businessId, revision }, signal);
  deps.report(callSid, kind);
  return [];
}
