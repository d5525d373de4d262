import { randomBytes } from 'node:crypto';
import { connectStore, createCallLogWriter } from '@pipeline/call-store/call-log-writer';
import {
  eventId,
  EVENT_VERSION,
  newCallLogSchema,
  stageDone,
  subjectOf,
  type CallExtracted,
} from '@pipeline/contracts';
import { createLogger } from '@pipeline/runtime';
import type { Stack } from '../stack/stack.ts';

/** Calls that have come as far as extractor brings them: a CallLog and its notice, without the stages before. */
export type ExtractedCalls = {
  /** Stores a call of this business and publishes its notice; `publishedAt` is in milliseconds since 1970, right before it. */
  add(businessId: string): Promise<{ readonly callSid: string; readonly publishedAt: number }>;
  /** Publishes the notice of a call once more. */
  publishAgain(callSid: string): Promise<void>;
  close(): Promise<void>;
};

const AT = '2025-12-09T10:30:00.000Z';
const never = new AbortController().signal;

/** Writes as extractor, the only one that may. */
export async function createExtractedCalls({ surroundings, streams }: Stack): Promise<ExtractedCalls> {
  const { user, password } = surroundings.credentials.extractor;
  const store = await connectStore({
    config: {
      MONGO_URL: surroundings.mongoUrl,
      MONGO_USER: user,
      MONGO_PASSWORD: password,
      MONGO_DB_PREFIX: surroundings.databasePrefix,
    },
    instance: 'test',
    logger: createLogger({ level: 'error', bindings: {} }),
  });
  const writer = createCallLogWriter(store);
  const businesses = new Map<string, string>();
  const publish = (callSid: string, businessId: string): Promise<void> => {
    const notice = Buffer.from(JSON.stringify(noticeOf(callSid, businessId)));
    return streams.publish(subjectOf('call.extracted', businessId, callSid), notice);
  };
  return {
    add: async (businessId) => {
      const callSid = `CA${randomBytes(16).toString('hex')}`;
      await writer.store(newCallLogSchema.parse(callLogOf(callSid, businessId)), never);
      businesses.set(callSid, businessId);
      const publishedAt = performance.timeOrigin + performance.now();
      await publish(callSid, businessId);
      return { callSid, publishedAt };
    },
    publishAgain: (callSid) => publish(callSid, businesses.get(callSid) ?? ''),
    close: () => store.close(),
  };
}

function noticeOf(callSid: string, businessId: string): CallExtracted {
  return {
    type: 'call.extracted',
    version: EVENT_VERSION,
    id: eventId(callSid, 'extractor', 1),
    occurredAt: AT,
    businessId,
    callSid,
    revision: 1,
    data: { notify: true },
  };
}

function callLogOf(callSid: string, businessId: string) {
  const done = stageDone({ model: 'none', attempts: 1, ms: 1 });
  return {
    callSid,
    businessId,
    from: '+972501234567',
    to: '+97235550100',
    direction: 'inbound',
    startedAt: AT,
    endedAt: AT,
    endedReason: 'caller_hung_up',
    source: 'gateway',
    duration_sec: 300,
    transcription: '',
    transcription_turns: [],
    final_transcript: `caller: ${'שלום '.repeat(100)}`,
    final_segments: [],
    transcript_language: 'he',
    summary: 'הלקוח מבקש שיפוצים',
    extracted_city: 'תל אביב',
    extracted_service: 'שיפוצים',
    fields: [],
    stages: { transcriber: done, summarizer: done, extractor: done },
    status: 'complete',
    revision: 1,
  };
}
