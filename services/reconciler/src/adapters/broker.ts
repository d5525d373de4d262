import { RECONCILER_BUCKET, type CallExtracted, type EventType } from '@pipeline/contracts';
import type { Operator } from '@pipeline/messaging';
import { z } from 'zod';
import type { AnnounceDeps } from '../announce.ts';
import type { ReconcilerDeps } from '../handler.ts';
import type { Mark } from '../watermark.ts';

type BrokerSide = Pick<ReconcilerDeps, 'hasEvent' | 'publish' | 'readMark' | 'writeMark'> &
  Pick<AnnounceDeps, 'lastNotice' | 'settledUpTo' | 'time'> & {
    publishNotice(event: CallExtracted, messageId: string | null, signal: AbortSignal): Promise<void>;
  };

const EVENTS = ['call.ended', 'call.transcribed', 'call.summarized', 'call.extracted'] as const satisfies EventType[];
const KEY = 'watermark';
const DEADLINE_MS = 5_000;

const instantSchema = z.iso.datetime();
const markSchema = z.object({
  endedAt: instantSchema,
  sweep: z
    .object({ since: instantSchema, begun: instantSchema, oldestOpen: instantSchema.nullable(), next: z.string() })
    .optional(),
});

/**
 * What the reconciler asks of the broker and tells it. A stream that is missing is an error and never "no event": with the store gone,
 * nothing is published before `provision` has run. `onPublished` is told of each event that is stored.
 */
export function createBrokerSide(operator: Operator, onPublished: () => void): BrokerSide {
  const marks = operator.openBucket({ bucket: RECONCILER_BUCKET, schema: markSchema, deadlineMs: DEADLINE_MS });
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
      const entry = await marks.get(KEY);
      return entry === null ? null : readMark(entry.value);
    },
    writeMark: async (mark) => {
      await marks.put(KEY, writtenMark(mark));
    },
  };
}

function readMark({ endedAt, sweep }: z.output<typeof markSchema>): Mark {
  const watermark = Date.parse(endedAt);
  if (sweep === undefined) return { watermark, sweep: null };
  const { since, begun, oldestOpen, next } = sweep;
  const open = oldestOpen === null ? null : Date.parse(oldestOpen);
  return { watermark, sweep: { since: Date.parse(since), begun: Date.parse(begun), oldestOpen: open, next } };
}

function writtenMark({ watermark, sweep }: Mark): z.input<typeof markSchema> {
  const endedAt = written(watermark);
  if (sweep === null || sweep.next === null) return { endedAt };
  const { since, begun, oldestOpen, next } = sweep;
  const open = oldestOpen === null ? null : written(oldestOpen);
  return { endedAt, sweep: { since: written(since), begun: written(begun), oldestOpen: open, next } };
}

function written(ms: number): string {
  return new Date(ms).toISOString();
}
