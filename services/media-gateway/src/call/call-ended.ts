import { EVENT_VERSION, eventId, type CallEnded, type CallSource } from '@pipeline/contracts';
import { turnsOf } from '../live-transcript.ts';
import type { Call } from './call.ts';
import type { EndReason } from './end-reasons.ts';

/** The only revision that this service publishes: later ones come from a new analysis, not from the telephone. */
const REVISION = 1;

/** The event of a call that has ended: the same however often it is made (L7). Times are the call's own clock. */
export function callEnded(call: Call, end: { readonly reason: EndReason; readonly at: number }): CallEnded {
  const { plan } = call;
  const endedAt = Math.max(end.at, plan.startedAt);
  return {
    type: 'call.ended',
    version: EVENT_VERSION,
    id: eventId(plan.callSid, 'media-gateway', REVISION),
    occurredAt: instant(endedAt),
    businessId: plan.businessId,
    callSid: plan.callSid,
    revision: REVISION,
    data: {
      call: {
        from: plan.from,
        to: plan.to,
        direction: plan.direction,
        startedAt: instant(plan.startedAt),
        endedAt: instant(endedAt),
        durationSec: Math.round((endedAt - plan.startedAt) / 1_000),
        endedReason: end.reason,
        source: 'gateway' satisfies CallSource,
      },
      analysis: plan.analysis,
      liveTranscript: call.media.wasOpen ? turnsOf(call.transcript) : null,
    },
  };
}

function instant(at: number): string {
  return new Date(at).toISOString();
}
