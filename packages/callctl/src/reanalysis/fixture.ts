import { stageDone, type BusinessSettings, type CallLog } from '@pipeline/contracts';

/** What the tests of re-analysis work with. */
export const callLog: CallLog = {
  callSid: `CA${'0f'.repeat(16)}`,
  businessId: 'biz_1',
  from: '+972501234567',
  to: '+97231234567',
  direction: 'inbound',
  startedAt: '2025-12-09T10:25:00.000Z',
  endedAt: '2025-12-09T10:30:00.000Z',
  endedReason: 'stream_stopped',
  source: 'gateway',
  duration_sec: 300,
  transcription: 'caller: live',
  transcription_turns: [{ speaker: 'caller', text: 'live', startMs: 10 }],
  final_transcript: 'caller: final',
  final_segments: [{ speaker: 'caller', text: 'final', startMs: 0, endMs: 900 }],
  transcript_language: 'he',
  transcript_quality: { flags: [], flaggedSegments: 0, liveMatch: null },
  summary: 'Wants paint.',
  extracted_city: 'Haifa',
  extracted_service: null,
  fields: [
    { key: 'city', value: 'Haifa', status: 'found', evidence: null },
    { key: 'service', value: null, status: 'not_mentioned', evidence: null },
  ],
  stages: {
    transcriber: stageDone({ model: 'gpt-transcribe', attempts: 1, ms: 5, usage: { audioSeconds: 300 } }),
    summarizer: stageDone({
      model: 'gpt-6-luna',
      attempts: 1,
      ms: 5,
      usage: { inputTokens: 1_000, outputTokens: 100 },
    }),
    extractor: stageDone({ model: 'gpt-6-luna', attempts: 1, ms: 5, usage: { inputTokens: 2_000, outputTokens: 200 } }),
  },
  status: 'complete',
  revision: 3,
  previous: null,
  stored_at: '2025-12-09T10:31:00.000Z',
};

export const settings = {
  id: 'biz_1',
  language: 'he',
  keywords: ['paint'],
  summary: { maxSentences: 5, tone: 'formal' },
} as BusinessSettings; // All that re-analysis reads of the settings.
