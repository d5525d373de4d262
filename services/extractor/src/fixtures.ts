import { stageDone, type BusinessSettings, type CallSummarized, type Received } from '@pipeline/contracts';

/** What the tests of extractor work with. */
export const CALL_SID = `CA${'0f'.repeat(16)}`;

const heard = stageDone({ model: 'gpt-transcribe', attempts: 1, ms: 10, usage: { audioSeconds: 60 } });
const summed = stageDone({ model: 'gpt-6-luna', attempts: 2, ms: 20 });

export const summarized: Received<CallSummarized> = {
  type: 'call.summarized',
  version: 1,
  id: `${CALL_SID}:summarizer:r1`,
  occurredAt: '2025-12-09T10:32:00Z',
  businessId: 'biz_1',
  callSid: CALL_SID,
  revision: 1,
  attempt: 3,
  data: {
    call: {
      from: '+972501234567',
      to: '+97235550100',
      direction: 'inbound',
      startedAt: '2025-12-09T10:29:00Z',
      endedAt: '2025-12-09T10:30:00Z',
      durationSec: 60,
      endedReason: 'caller_hung_up',
      source: 'gateway',
    },
    analysis: { language: 'he', keywords: [], summary: { maxSentences: 2, tone: 'neutral' } },
    liveTranscript: [{ speaker: 'caller', text: 'live words', startMs: 0 }],
    transcript: {
      text: 'caller: אני רוצה שיפוצים בתל אביב',
      language: 'he',
      segments: [{ speaker: 'caller', text: 'אני רוצה שיפוצים בתל אביב', startMs: 0, endMs: 900 }],
      quality: { flags: ['not_in_live'], flaggedSegments: 1, liveMatch: 0.4 },
    },
    stages: { transcriber: heard, summarizer: summed },
    summary: 'הלקוח מבקש שיפוצים בתל אביב',
  },
};

export const settings: BusinessSettings = {
  id: 'biz_1',
  name: 'Business',
  phone_numbers: ['+97235550100'],
  language: 'he',
  timezone: 'Asia/Jerusalem',
  keywords: [],
  agent: { instructions: 'Be brief.', greeting: 'Hello.', voice: 'marin' },
  summary: { maxSentences: 2, tone: 'neutral' },
  fields: [
    {
      key: 'callback',
      type: 'phone',
      description: 'A number to call back.',
      required: false,
      sensitive: false,
      from: 'transcript',
    },
  ],
  inbound_webhook_url: null,
  webhook_events: [],
  webhook_schedule_seconds: null,
  webhook_rate_per_second: null,
  webhook_max_in_flight: null,
  max_concurrent_calls: 5,
  retention_days: 30,
};
