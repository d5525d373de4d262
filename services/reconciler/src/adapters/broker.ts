import {
  RECONCILER_BUCKET,
  RECONCILER_MARK,
  reconcilerMarkSchema,
  type CallExtracted,
  type EventType,
  type ReconcilerMark,
} from '@pipeline/contracts';
import type { Operator } from '@pipeline/messaging';
import type { AnnounceDeps } from '../announce.ts';
import type { ReconcilerDeps } from '../handler.ts';
import type { Mark } from '../watermark.ts';

type BrokerSide = Pick<ReconcilerDeps, 'hasEvent' | 'publish' | 'readMark' | 'writeMark'> &
  Pick<AnnounceDeps, 'lastNotice' | 'settledUpTo' | 'time'> & {
    publishNotice(event: CallExtracted, messageId: string | null, signal: AbortSignal): Promise<void>;
  };

const EVENTS = ['call.ended', 'call.transcribed', 'call.summarized', 'call.extracted'] as const satisfies EventType[];
const DEADLINE_MS = 5_000;

/**
 * What the reconciler asks of the broker and tells it. A stream that is missing is an error and never "no event": with the store gone,
 * nothing is published before `provision` has run. `onPublished` is told of each event that is stored.
 */
export function createBrokerSide(operator: Operator, onPublished: () => void): BrokerSide {
  const marks = operator.openBucket({
    bucket: RECONCILER_BUCKET,
    schema: reconcilerMarkSchema,
    deadlineMs: DEADLINE_MS,
  });
  let seen: number | null = null;
  // An operator has set the watermark since, or another run has moved it: what they wrote stands, and the next run goes on from there.
  let isOvertaken = false;
  return {
    hasEvent: async (businessId, callSid) => {
      const found = await Promise.all(EVENTS.map((kind) => operator.lastMark(kind, businessId, callSid)));
      // The number may have changed hands while the call is in work: it is there under its owner of then.
      return found.some((mark) => mark !== null) || operator.hasEvent(callSid);
    },
    publish: async (event, signal) => {
      await operator.publish(event, { signal });
      onPublished();
    },
    publishNotice: async (event, messageId, signal) => {
      await operator.publish(event, { signal, ...(messageId === null ? {} : { messageId }) });
      onPublished();
    },
    time: () => operator.time(),
    lastNotice: (businessId, callSid) => operator.lastMark('call.extracted', businessId, callSid),
    settledUpTo: () => operator.settledUpTo('webhook-dispatcher'),
    readMark: async () => {
      const entry = await marks.get(RECONCILER_MARK);
      seen = entry?.revision ?? null;
      return entry === null ? null : readMark(entry.value);
    },
    writeMark: async (mark) => {
      if (isOvertaken) return;
      const value = writtenMark(mark);
      const revision =
        seen === null ? await marks.create(RECONCILER_MARK, value) : await marks.update(RECONCILER_MARK, value, seen);
      isOvertaken = revision === null;
      seen = revision;
    },
  };
}

function readMark({ endedAt, sweep }: ReconcilerMark): Mark {
  const watermark = Date.parse(endedAt);
  if (sweep === undefined) return { watermark, sweep: null };
  const { since, begun, oldestOpen, next } = sweep;
  const open = oldestOpen === null ? null : Date.parse(oldestOpen);
  return { watermark, sweep: { since: Date.parse(since), begun: Date.parse(begun), oldestOpen: open, next } };
}

function writtenMark({ watermark, sweep }: Mark): ReconcilerMark {
  const endedAt = written(watermark);
  if (sweep === null || sweep.next === null) return { endedAt };
  const { since, begun, oldestOpen, next } = sweep;
  const open = oldestOpen === null ? null : written(oldestOpen);
  return { endedAt, sweep: { since: written(since), begun: written(begun), oldestOpen: open, next } };
}

function written(ms: number): string {
  return new Date(ms).toISOString();
}
