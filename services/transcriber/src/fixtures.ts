import { createPaidSteps, type CallEnded, type Received } from '@pipeline/contracts';
import { listening, type FileAudio } from './listening.ts';

/** What the tests of transcriber work with. */
export const CALL_SID = `CA${'0f'.repeat(16)}`;

export const ended: Received<CallEnded> = {
  type: 'call.ended',
  version: 1,
  id: `${CALL_SID}:media-gateway:r3`,
  occurredAt: '2025-12-09T10:30:00Z',
  businessId: 'biz_1',
  callSid: CALL_SID,
  revision: 3,
  attempt: 2,
  data: {
    call: {
      from: '+972501234567',
      to: '+97231234567',
      direction: 'inbound',
      startedAt: '2025-12-09T10:29:00Z',
      endedAt: '2025-12-09T10:30:00Z',
      durationSec: 60,
      endedReason: 'caller_hung_up',
      source: 'gateway',
    },
    analysis: { language: 'he', keywords: ['שיפוצים'], summary: { maxSentences: 3, tone: 'neutral' } },
    liveTranscript: [{ speaker: 'agent', text: 'live words', startMs: 0 }],
    addedLater: 'kept',
  },
};

/** Bytes of memory as an open file, for work that runs in this thread. */
export function audioOf(bytes: Uint8Array): FileAudio {
  return { fd: -1, size: bytes.length, read: async (from, length) => bytes.subarray(from, from + length) };
}

/** What a transcriber needs beside its recordings and its provider. Sandbox speech is faster than anybody speaks. */
export const surroundings = () => ({
  ...listening,
  paid: createPaidSteps(),
  report: () => {},
  now: Date.now,
  setup: {
    model: 'gpt-transcribe',
    channelMap: ['caller', 'agent'] as const,
    mode: 'segments' as const,
    concurrency: 4,
    maxCharsPerSec: 150,
  },
});
