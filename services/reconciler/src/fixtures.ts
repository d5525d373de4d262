import { businessSettingsSchema, type BusinessSettings } from '@pipeline/contracts';
import type { EndedCall } from './ended-call.ts';

export const NOW = Date.parse('2025-12-09T12:00:00Z');
export const NUMBER = '+97235550100';

/** The n-th CallSid of a test. */
export function sidOf(n: number): string {
  return `CA${n.toString(16).padStart(32, '0')}`;
}

/** An inbound call to {@link NUMBER} that ended an hour before {@link NOW}. */
export function endedCall(more: Partial<EndedCall> = {}): EndedCall {
  return {
    callSid: sidOf(1),
    isChildLeg: false,
    from: '+972501234567',
    to: NUMBER,
    direction: 'inbound',
    status: 'completed',
    startedAt: NOW - 3_660_000,
    endedAt: NOW - 3_600_000,
    durationSec: 60,
    ...more,
  };
}

/** A business that owns {@link NUMBER}. */
export function business(id = 'biz_1'): BusinessSettings {
  return businessSettingsSchema.parse({
    id,
    name: 'A business',
    phone_numbers: [NUMBER],
    language: 'he',
    keywords: ['שיפוצים'],
    agent: { instructions: 'Be kind.', greeting: 'שלום' },
    summary: { maxSentences: 2, tone: 'formal' },
  });
}

/** The environment of a job that is tested at the NATS of `natsUrl`, with no database. */
export function environmentOf(natsUrl: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    NODE_ENV: 'test',
    NATS_URL: natsUrl,
    NATS_USER: 'any',
    NATS_PASSWORD: 'b5c2f0a1',
    STREAM_REPLICAS: '1',
    STREAM_MAX_BYTES: '16777216',
    MONGO_URL: 'mongodb://127.0.0.1:9',
    MONGO_USER: 'any',
    MONGO_PASSWORD: 'b5c2f0a1',
    TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
    TWILIO_API_KEY_SID: `SK${'0'.repeat(32)}`,
    TWILIO_API_KEY_SECRET: 'b5c2f0a1',
    ...more,
  };
}
