import type { CallPlan } from './call/call.ts';
import type { AnsweredRecord, CallFacts, CallRecord, OwnedRecord, RefusedRecord } from './call-record.ts';

/**
 * What all processes behind one public URL agree on about a call: its webhook, its media stream and its status callback are three
 * requests and may reach three processes. Invariants:
 * D1 at most one process ever opens the media stream of a call, once, with a token of this very call;
 * D2 a process publishes a call without a live transcript only after the call's record names it, and the record of a call whose
 *    stream is open names somebody else only after its owner was silent;
 * D3 a record moves forward only.
 */
export type CallDirectory = {
  /**
   * A token that opens the media stream of a call answered here; `null` when the call is further already. Never rejected. After the
   * signal the others are told later, as they are when the bucket is away.
   */
  register(plan: CallPlan, signal?: AbortSignal): Promise<string | null>;
  /** Another token for a call that was answered, here or elsewhere, and waits for its stream; `null` for any other. Never rejected. */
  renewToken(callSid: string, signal?: AbortSignal): Promise<string | null>;
  /** A call that reached somebody and for which there was no room, so that its end is published. Never rejected. */
  noteRefused(callSid: string, facts: CallFacts): Promise<void>;
  /** What is known now. Never rejected. */
  look(callSid: string): Promise<KnownCall>;
  /**
   * The same again and again, until the signal ends it. Says when the owner of a call has been silent for 6 s. This process is silent
   * about a call that it owns and whose follower does not find it here.
   */
  follow(callSid: string, signal: AbortSignal): AsyncGenerator<KnownCall>;
  /** Makes this process the owner of the media stream, for a valid token. `null` refuses it. Never rejected. */
  openStream(callSid: string, token: string): Promise<AnsweredRecord | null>;
  /** Waits until another process has the call: true, or false when `signal` ended the wait. */
  untilTaken(callSid: string, signal: AbortSignal): Promise<boolean>;
  /** Whether this process is the one to publish a call without a live transcript. Rejected when it cannot be known now. */
  claimEnd(callSid: string, facts: CallFacts): Promise<boolean>;
  /** Makes this process the owner of a call whose owner is silent. Rejected when it cannot be known now. */
  takeOver(callSid: string, owner: string): Promise<boolean>;
  /** Why a call that is carried here has ended, before its end is published: the caller may still be on the line. Never rejected. */
  noteEnd(callSid: string, endedReason: string): Promise<void>;
  /** The stream has `call.ended`. Never rejected. */
  markPublished(callSid: string, endedReason?: string): Promise<void>;
  /** This process carries the call no longer. */
  forget(callSid: string): void;
};

export type KnownCall =
  /** It cannot be known now. */
  | { readonly kind: 'away' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'answered'; readonly record: AnsweredRecord }
  | { readonly kind: 'refused'; readonly record: RefusedRecord }
  | { readonly kind: 'owned'; readonly record: OwnedRecord; readonly isSilent: boolean }
  | { readonly kind: 'published'; readonly endedReason?: string };

/** What a record says. */
export function knownOf(record: CallRecord | null): KnownCall {
  if (record === null) return { kind: 'unknown' };
  switch (record.state) {
    case 'answered':
      return { kind: 'answered', record };
    case 'refused':
      return { kind: 'refused', record };
    case 'live':
    case 'ending':
      return { kind: 'owned', record, isSilent: false };
    case 'published':
      return record.endedReason === undefined
        ? { kind: 'published' }
        : { kind: 'published', endedReason: record.endedReason };
  }
}
