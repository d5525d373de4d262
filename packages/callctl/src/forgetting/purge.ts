import { createForgettingDeliveries, MAX_FORGOTTEN } from '@pipeline/call-store/deliveries';
import type { Store } from '@pipeline/call-store/settings';
import { purgeCalls, type ConnectionIdentity } from '@pipeline/messaging';

/** What was removed: messages of the broker, bodies of webhooks, attempts that lost what was said in them. */
export type PurgeCounts = { readonly messages: number; readonly bodies: number; readonly attempts: number };

/** Removes what is left of calls outside of their CallLog. Repeating it and two at once are safe. At most 500 calls at a time. */
export type Purge = {
  /** Of calls that have a tombstone: all of it, whatever is still waiting to be sent. */
  erased(callSids: readonly string[], signal: AbortSignal): Promise<PurgeCounts>;
  /** Of calls whose retention is over and that nothing works on any more. */
  retired(callSids: readonly string[], signal: AbortSignal): Promise<PurgeCounts>;
};

/** Calls that one step of {@link Purge} takes. */
export const MAX_PURGED = MAX_FORGOTTEN;

/** First the streams, so that nothing new is frozen from them, then what was frozen. */
export function createPurge(who: ConnectionIdentity, store: Store): Purge {
  const deliveries = createForgettingDeliveries(store);
  const purge = async (callSids: readonly string[], forget: typeof deliveries.erase, signal: AbortSignal) => {
    signal.throwIfAborted();
    const purged = await purgeCalls(who, callSids);
    const forgotten = await forget(callSids, signal);
    return { messages: purged.reduce((sum, { count }) => sum + count, 0), ...forgotten };
  };
  return {
    erased: (callSids, signal) => purge(callSids, deliveries.erase, signal),
    retired: (callSids, signal) => purge(callSids, deliveries.retire, signal),
  };
}

export const NOTHING: PurgeCounts = { messages: 0, bodies: 0, attempts: 0 };

/** Adds counts to a sum of counts. */
export function add<K extends string>(sum: Record<K, number>, more: Readonly<Record<K, number>>): void {
  for (const key of Object.keys(more) as K[]) sum[key] += more[key]; // Object.keys loses the literal type
}
