import type { StoredCall } from '@pipeline/call-store/call-log';
import type { DeadLetters, LetterFacts } from '@pipeline/messaging';

/**
 * What became of one letter: published again and removed; or left where it is, because this version does not read it, the call is erased or past its
 * retention, or its CallLog has what the letter would lead to.
 */
export type Replayed =
  | { readonly kind: 'replayed' }
  | { readonly kind: 'gone' | 'erased' | 'expired' | 'stored' }
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string };

export type ReplayDeps = Pick<DeadLetters, 'open' | 'replay'> & {
  find(callSid: string, signal: AbortSignal): Promise<StoredCall>;
};

/** Publishes the event of one letter again, unless that would lead nowhere. With `isRehearsal` it only says so. */
export async function replayLetter(
  { seq }: LetterFacts,
  deps: ReplayDeps,
  isRehearsal: boolean,
  signal: AbortSignal,
): Promise<Replayed> {
  const letter = await deps.open(seq);
  if (letter === null) return { kind: 'gone' };
  const { reading } = letter;
  if (reading.kind === 'refused') return reading;
  const { type, callSid, revision } = reading.event;
  const call = await deps.find(callSid, signal);
  // A command to erase is for the tombstone to answer, and a notice for the delivery: both may be repeated.
  if (type !== 'call.erase') {
    if (call.kind === 'erased' || call.kind === 'expired') return { kind: call.kind };
    if (type !== 'call.extracted' && call.kind === 'call' && call.callLog.revision >= revision)
      return { kind: 'stored' };
  }
  if (!isRehearsal) await deps.replay(letter);
  return { kind: 'replayed' };
}
