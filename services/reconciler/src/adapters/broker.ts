import { RECONCILER_BUCKET, type CallExtracted, type EventType } from '@pipeline/contracts';
import type { Operator } from '@pipeline/messaging';
import { z } from 'zod';
import type { AnnounceDeps } from '../announce.ts';
import type { ReconcilerDeps } from '../handler.ts';

type BrokerSide = Pick<ReconcilerDeps, 'hasEvent' | 'publish' | 'readWatermark' | 'writeWatermark'> &
  Pick<AnnounceDeps, 'lastNotice' | 'settledUpTo'> & {
    publishNotice(event: CallExtracted, messageId: string | null, signal: AbortSignal): Promise<void>;
  };

const EVENTS = ['call.ended', 'call.transcribed', 'call.summarized', 'call.extracted'] as const satisfies EventType[];
const KEY = 'watermark';
const DEADLINE_MS = 5_000;

const watermarkSchema = z.object({ endedAt: z.iso.datetime() });

/**
 * What the reconciler asks of the broker and tells it. A stream that is missing is an error and never "no event": with the store gone,
 * nothing is published before `provision` has run. `onPublished` is told of each event that is stored.
 */
export function createBrokerSide(operator: Operator, onPublished: () => void): BrokerSide {
  const marks = operator.openBucket({ bucket: RECONCILER_BUCKET, schema: watermarkSchema, deadlineMs: DEADLINE_MS });
  return {
    hasEvent: async (businessId, callSid) => {
      const found = await Promise.all(EVENTS.map((kind) => operator.lastMark(kind, businessId, callSid)));
      return found.some((mark) => mark !== null);
    },
    publish: async (event, signal) => {
      await operator.publish(event, { signal });
      onPublished();
    },
    publishNotice: async (event, messageId, signal) => {
      await operator.publish(event, { signal, ...(messageId === null ? {} : { messageId }) });
      onPublished();
    },
    lastNotice: (businessId, callSid) => operator.lastMark('call.extracted', businessId, callSid),
    settledUpTo: () => operator.settledUpTo('webhook-dispatcher'),
    readWatermark: async () => {
      const entry = await marks.get(KEY);
      return entry === null ? null : Date.parse(entry.value.endedAt);
    },
    writeWatermark: async (ms) => {
      await marks.put(KEY, { endedAt: new Date(ms).toISOString() });
    },
  };
}
