import { EVENT_VERSION, eventId, type CallExtracted } from '@pipeline/contracts';

/** A CallLog that has no delivery. */
export type UnannouncedCall = { readonly callSid: string; readonly businessId: string; readonly revision: number };

/** The last notice of a call in its stream. `storedAt` in milliseconds since 1970. */
export type LastNotice = { readonly seq: number; readonly revision: number | null; readonly storedAt: number };

/** `publish`, under the event's own id or, where the stream has that one already, another; `wait`: somebody will work the last one. */
export type NoticeVerdict =
  | { readonly kind: 'publish'; readonly event: CallExtracted; readonly messageId: string | null }
  | { readonly kind: 'wait' };

/**
 * Milliseconds after which a notice that came to nothing is repeated. webhook-dispatcher lets go of a notice that killed it three
 * times, and nobody should feed it to it again every five minutes.
 */
const REPEAT_MS = 3_600_000;

/**
 * Whether a CallLog without a delivery needs another notice. `settledUpTo` is how far webhook-dispatcher has settled its stream: one
 * beyond that still waits there, however long that takes, and a second one would only fill the stream. The id of a repeat
 * comes from the notice that it repeats, so two runs at once publish one.
 */
export function judgeNotice(
  call: UnannouncedCall,
  last: LastNotice | null,
  settledUpTo: number,
  now: number,
): NoticeVerdict {
  const event = noticeOf(call, now);
  if (last === null) return { kind: 'publish', event, messageId: null };
  if (last.seq > settledUpTo) return { kind: 'wait' };
  if ((last.revision ?? 0) >= call.revision && now - last.storedAt < REPEAT_MS) return { kind: 'wait' };
  return { kind: 'publish', event, messageId: `${event.id}:replay${last.seq}` };
}

function noticeOf({ callSid, businessId, revision }: UnannouncedCall, now: number): CallExtracted {
  return {
    type: 'call.extracted',
    version: EVENT_VERSION,
    id: eventId(callSid, 'extractor', revision),
    occurredAt: new Date(now).toISOString(),
    businessId,
    callSid,
    revision,
    data: { notify: true },
  };
}
