import {
  EVENT_VERSION,
  analysisOf,
  eventId,
  type BusinessSettings,
  type CallEnded,
  type CallSource,
} from '@pipeline/contracts';

/** Twilio's words for a call that is over. */
export const FINAL_STATUSES = ['completed', 'busy', 'no-answer', 'failed', 'canceled'] as const;
export type FinalStatus = (typeof FINAL_STATUSES)[number];

/** A finished call as Twilio's list tells it. Times in milliseconds since 1970, a duration in whole seconds. */
export type EndedCall = {
  readonly callSid: string;
  /** It belongs to another call, as the far end of a <Dial> does. */
  readonly isChildLeg: boolean;
  /** As Twilio gives them: E.164, `anonymous`, a SIP address. */
  readonly from: string | null;
  readonly to: string | null;
  readonly direction: 'inbound' | 'outbound';
  readonly status: FinalStatus;
  readonly startedAt: number | null;
  readonly endedAt: number;
  readonly durationSec: number | null;
};

/** The number that says whose call it is: the one that was dialled, or the one that dialled. */
export function businessNumber(call: Pick<EndedCall, 'direction' | 'from' | 'to'>): string | null {
  return call.direction === 'inbound' ? call.to : call.from;
}

/** When a call began, in milliseconds since 1970; reckoned from its end where Twilio does not say it. */
export function startOf({ startedAt, endedAt, durationSec }: EndedCall): number {
  return Math.min(startedAt ?? endedAt - (durationSec ?? 0) * 1_000, endedAt);
}

/** The gateway's stage and revision: with its own message id, a publish of both is stored once (L7). */
const PUBLISHER = 'media-gateway';
const REVISION = 1;

/** Why a call ended, in the words of media-gateway for what its status callback says. */
const REASONS: Readonly<Record<FinalStatus, string>> = {
  completed: 'completed',
  busy: 'busy',
  'no-answer': 'no_answer',
  failed: 'failed',
  canceled: 'canceled',
};

/**
 * The end of a call that its media-gateway did not publish: all that Twilio knows, and no live transcript. Times are Twilio's.
 */
export function callEnded(call: EndedCall, business: BusinessSettings): CallEnded {
  return {
    type: 'call.ended',
    version: EVENT_VERSION,
    id: eventId(call.callSid, PUBLISHER, REVISION),
    occurredAt: new Date(call.endedAt).toISOString(),
    businessId: business.id,
    callSid: call.callSid,
    revision: REVISION,
    data: {
      call: {
        from: call.from,
        to: call.to,
        direction: call.direction,
        startedAt: new Date(startOf(call)).toISOString(),
        endedAt: new Date(call.endedAt).toISOString(),
        durationSec: call.durationSec,
        endedReason: REASONS[call.status],
        source: 'reconciled' satisfies CallSource,
      },
      analysis: analysisOf(business),
      liveTranscript: null,
    },
  };
}
