import type { Calls } from './calls.ts';

/**
 * The calls of this process that are being answered. Between the look at what is free and the start of a call the bucket is asked, and
 * other webhooks come meanwhile: each counts those that came before it, so the last free place has one taker, the first to ask.
 */
export type Arrivals = {
  /** Puts a call at the end of the row. The function that comes back takes it out again, started or refused. */
  enter(callSid: string, businessId: string): () => void;
  /** Calls of this process that have or may get a place before this one: those that run, and those before it in the row. */
  countBefore(callSid: string, businessId?: string): number;
};

export function createArrivals(calls: Pick<Calls, 'activeCount' | 'isActive'>): Arrivals {
  // In the order of their arrival. `requests`: a webhook that was sent again is the same call.
  const row = new Map<string, { readonly businessId: string; readonly requests: number }>();

  const waitingBefore = (callSid: string, businessId?: string): number => {
    let waiting = 0;
    for (const [other, { businessId: owner }] of row) {
      if (other === callSid) break;
      const counts = (businessId === undefined || owner === businessId) && !calls.isActive(other);
      if (counts) waiting += 1;
    }
    return waiting;
  };

  return {
    enter: (callSid, businessId) => {
      row.set(callSid, { businessId, requests: (row.get(callSid)?.requests ?? 0) + 1 });
      return () => {
        const requests = (row.get(callSid)?.requests ?? 1) - 1;
        if (requests === 0) row.delete(callSid);
        else row.set(callSid, { businessId, requests });
      };
    },
    countBefore: (callSid, businessId) => {
      const running = calls.activeCount(businessId) - Number(calls.isActive(callSid));
      return running + waitingBefore(callSid, businessId);
    },
  };
}
