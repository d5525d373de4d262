import { stageDone, type CallTranscribed, type Received } from '@pipeline/contracts';

/** What the tests of summarizer work with. */
export const CALL_SID = `CA${'0f'.repeat(16)}`;

export const heard = stageDone({ model: 'gpt-transcribe', attempts: 1, ms: 10, usage: { audioSeconds: 60 } });

export const transcribed: Received<CallTranscribed> = {
  type: 'call.transcribed',
  version: 1,
  id: `${CALL_SID}:transcriber:r1`,
  occurredAt: '2025-12-09T10:31:00Z',
  businessId: 'biz_1',
  callSid: CALL_SID,
  revision: 1,
  attempt: 4,
  data: {
    call: {
      from: '+972501234567',
      to: null,
      direction: 'inbound',
      startedAt: '2025-12-09T10:29:00Z',
      endedAt: '2025-12-09T10:30:00Z',
      durationSec: 60,
      endedReason: 'caller_hung_up',
      source: 'gateway',
    },
    analysis: { language: 'he', keywords: [], summary: { maxSentences: 2, tone: 'neutral' } },
    liveTranscript: null,
    transcript: {
      text: 'caller: שיפוצים',
      language: 'he',
      segments: [{ speaker: 'caller', text: 'שיפוצים', startMs: 0, endMs: 9 }],
    },
    stages: { transcriber: heard },
    notify: false,
  },
};
