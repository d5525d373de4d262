import { eventId, EVENT_VERSION, type CallErase } from '@pipeline/contracts';

/** Whose call is to be forgotten, who asked for it and why. */
export type Forgetting = {
  readonly callSid: string;
  readonly businessId: string;
  readonly requestedBy: string;
  readonly because: 'request' | 'retention';
};

/** The command that extractor works. Each reason has an id of its own: the end of a retention must not swallow a request. */
export function commandFor({ callSid, businessId, requestedBy, because }: Forgetting): CallErase {
  return {
    type: 'call.erase',
    version: EVENT_VERSION,
    id: eventId(callSid, because === 'request' ? 'erase' : because, 1),
    occurredAt: new Date().toISOString(),
    businessId,
    callSid,
    // The tombstone keeps the higher revision of its own and this one.
    revision: 1,
    data: { requestedBy, because },
  };
}
