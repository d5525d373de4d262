import { EVENT_VERSION, eventId, type CallErase, type OutboundEvent, type Received } from '@pipeline/contracts';
import type { StoredCall } from './handler.ts';

/** What came of a command. `kept`: its retention is not over; `already`: there was nothing left to do. */
export type EraseOutcome = 'erased' | 'already' | 'other_business' | 'expired' | 'kept';

export type EraseDeps = {
  /** Puts the tombstone in place of a call, whether there was one or not. Repeating it changes nothing. */
  erase(
    call: { readonly callSid: string; readonly businessId: string; readonly revision: number },
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'erased' | 'already' | 'other_business' }>;
  find(callSid: string, signal: AbortSignal): Promise<StoredCall>;
  report(callSid: string, outcome: EraseOutcome): void;
  /** Milliseconds since 1970. */
  now(): number;
};

/**
 * Forgets a call: from here on nothing of it is stored again. Whoever sent the command purges what else there is. Then it is announced,
 * for the businesses that want `call.erased`: with a revision above every one that the call had, so that the notice is taken for none of
 * theirs. A repeated command announces the same under the same id.
 */
export async function erase(
  event: Received<CallErase>,
  deps: EraseDeps,
  signal: AbortSignal,
): Promise<OutboundEvent[]> {
  const { callSid, businessId, revision } = event;
  const { kind } = await deps.erase({ callSid, businessId, revision }, signal);
  deps.report(callSid, kind);
  if (kind === 'other_business') return [];
  const tombstone = await deps.find(callSid, signal);
  if (tombstone.kind !== 'erased') return [];
  const next = tombstone.revision + 1;
  return [
    {
      type: 'call.extracted',
      version: EVENT_VERSION,
      id: eventId(callSid, 'erasure', next),
      occurredAt: new Date(deps.now()).toISOString(),
      businessId,
      callSid,
      revision: next,
      data: { notify: true },
    },
  ];
}
