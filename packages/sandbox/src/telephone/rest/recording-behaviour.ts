import type { Corruption } from '../line/recording.ts';

/** How a recording shows up on the REST side after its call ended. Everything absent: completed at once, whole and right. */
export type RecordingBehaviour = {
  /** What becomes of it: `never` means no row ever, `absent` and `failed` a row without audio. */
  readonly outcome?: 'completed' | 'absent' | 'failed' | 'never';
  /** No row, then `processing`, until so much wall time after the end of the call. */
  readonly readyAfterMs?: number;
  /** So many look-ups in vain: the first sees no row, the others `processing`. */
  readonly readyAfterLookups?: number;
  /** So many downloads answer 404 although the row says `completed`. */
  readonly mediaNotFoundTimes?: number;
  /** Kept as mono, whatever the TwiML asked for. */
  readonly mono?: boolean;
  /** The first `times` requests (all, when absent) of this kind (both, when absent) are refused. */
  readonly refusal?: {
    readonly status: 401 | 403 | 429 | 500 | 503;
    readonly retryAfterSec?: number;
    readonly times?: number;
    readonly kind?: 'lookup' | 'media';
  };
  /** So many downloads (after those in vain) break off half-way. */
  readonly truncatedTimes?: number;
  readonly corruption?: Corruption;
};

/** What a look-up finds: nothing, or a row in this status. `lookups` counts this one. */
export function lookedUp(
  behaviour: RecordingBehaviour,
  now: { readonly lookups: number; readonly msSinceEnd: number },
): 'nothing' | 'processing' | 'completed' | 'absent' | 'failed' {
  const { outcome = 'completed', readyAfterLookups = 0, readyAfterMs = 0 } = behaviour;
  if (outcome === 'never') return 'nothing';
  if (now.lookups <= readyAfterLookups || now.msSinceEnd < readyAfterMs) {
    return now.lookups <= 1 ? 'nothing' : 'processing';
  }
  return outcome;
}

/** What a download gets. `downloads` counts this one. */
export function downloaded(behaviour: RecordingBehaviour, downloads: number): 'not found' | 'truncated' | 'whole' {
  const { outcome = 'completed', mediaNotFoundTimes = 0, truncatedTimes = 0 } = behaviour;
  if (outcome !== 'completed' || downloads <= mediaNotFoundTimes) return 'not found';
  return downloads <= mediaNotFoundTimes + truncatedTimes ? 'truncated' : 'whole';
}

/** Whether a request is refused, having refused `refusals` before. */
export function isRefused(behaviour: RecordingBehaviour, kind: 'lookup' | 'media', refusals: number): boolean {
  const { refusal } = behaviour;
  if (refusal === undefined || (refusal.kind !== undefined && refusal.kind !== kind)) return false;
  return refusals < (refusal.times ?? Number.POSITIVE_INFINITY);
}
