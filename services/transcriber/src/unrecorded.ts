import type { CallEnded } from '@pipeline/contracts';

/**
 * Ends of calls that nobody can have recorded. Our answer starts the recording when a call is taken, and Twilio calls none that was
 * taken busy, unanswered or canceled. What we answer to one that we refuse is to hang up, without a recording.
 */
const WITHOUT_RECORDING: ReadonlySet<string> = new Set(['busy', 'no_answer', 'canceled', 'refused']);

/**
 * Whether a call may have been recorded, by the facts of its end. A live transcript proves that there was a media stream, so that the
 * call was taken, whatever its end is called. `failed` is not said of calls alone that never connected: one that lasted a second may
 * have been taken. A completed call may have a recording, however short: also one that was hung up on at once.
 */
export function mayBeRecorded({ call, liveTranscript }: Pick<CallEnded['data'], 'call' | 'liveTranscript'>): boolean {
  if (liveTranscript !== null) return true;
  if (call.endedReason === 'failed') return (call.durationSec ?? 0) > 0;
  return !WITHOUT_RECORDING.has(call.endedReason);
}
