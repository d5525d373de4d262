import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { callLogSchema } from './call-log.ts';
import {
  callSummarizedSchema,
  customerPhone,
  EVENT_SCHEMAS,
  eventId,
  withoutLargeParts,
  type CallSummarized,
} from './events.ts';
import { stageDone } from './stages.ts';
import { webhookBodySchema } from './webhook.ts';

const callSid = `CA${'0f'.repeat(16)}`;
const event: CallSummarized = {
  type: 'call.summarized',
  version: 1,
  id: eventId(callSid, 'summarizer', 1),
  occurredAt: '2025-12-09T10:30:00.000Z',
  businessId: 'biz_123',
  callSid,
  revision: 1,
  data: {
    call: {
      from: '+972501234567',
      to: '+97231234567',
      direction: 'inbound',
      startedAt: '2025-12-09T10:25:00.000Z',
      endedAt: '2025-12-09T10:30:00.000Z',
      durationSec: 300,
      endedReason: 'caller_hung_up',
      source: 'gateway',
    },
    analysis: { language: 'he', keywords: [], summary: { maxSentences: 3, tone: 'neutral' } },
    liveTranscript: [{ speaker: 'caller', text: 'שלום', startMs: 0 }],
    transcript: {
      text: 'caller: שלום',
      language: 'he',
      segments: [{ speaker: 'caller', text: 'שלום', startMs: 0, endMs: 900 }],
    },
    stages: { transcriber: stageDone({ model: 'm', attempts: 1, ms: 12.4 }) },
    summary: 'סיכום',
  },
};

describe('events', () => {
  test('unknown keys pass through at every level, so that a newer producer does not lose what it added', () => {
    const newer = {
      ...event,
      addedLater: 1,
      data: { ...event.data, addedToo: { deep: true }, call: { ...event.data.call, extra: 'x' } },
    };
    expect(callSummarizedSchema.parse(newer)).toEqual(newer);
  });

  test('words that a newer release added to a growing list pass everywhere, from the event to the webhook', () => {
    const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,63}$/);
    fc.assert(
      fc.property(word, word, word, (code, source, endedReason) => {
        const transcriber = { ...stageDone({ model: 'm', attempts: 1, ms: 1 }), state: 'failed', code };
        const call = { ...event.data.call, source, endedReason };
        const newer = { ...event, data: { ...event.data, call, stages: { transcriber } } };
        expect(callSummarizedSchema.parse(newer)).toEqual(newer);
        const { source: sourceInLog, endedReason: reasonInLog, stages } = callLogSchema.shape;
        expect(sourceInLog.parse(source)).toBe(source);
        expect(reasonInLog.parse(endedReason)).toBe(endedReason);
        expect(stages.parse({ transcriber })).toEqual({ transcriber });
        expect(webhookBodySchema.shape.stages.parse({ transcriber })).toEqual({ transcriber });
      }),
    );
  });

  test('a word of a growing list is one short word, so that no text of a caller, no line break and no control passes for it', () => {
    for (const code of ['', ' ', 'TWO WORDS', 'A\nB', 'A\u001b[2J', '../x', '$where', 'A'.repeat(65), 'קוד', 7, {}]) {
      const transcriber = { ...stageDone({ model: 'm', attempts: 1, ms: 1 }), state: 'failed', code };
      const asCode = { ...event, data: { ...event.data, stages: { transcriber } } };
      expect(callSummarizedSchema.safeParse(asCode).success, JSON.stringify(code)).toBe(false);
      const asSource = { ...event, data: { ...event.data, call: { ...event.data.call, source: code } } };
      expect(callSummarizedSchema.safeParse(asSource).success, JSON.stringify(code)).toBe(false);
    }
  });

  test('an unknown or missing major version is refused', () => {
    for (const version of [0, 2, '1', null, undefined]) {
      expect(callSummarizedSchema.safeParse({ ...event, version }).success, String(version)).toBe(false);
    }
  });

  test('a revision that is zero, negative, fractional or huge is refused', () => {
    for (const revision of [0, -1, 1.5, 1e12, '1', null]) {
      expect(callSummarizedSchema.safeParse({ ...event, revision }).success, String(revision)).toBe(false);
    }
  });

  test('an operator object never passes for an id', () => {
    for (const callSidLike of [{ $ne: null }, 'CA.1', `CA${'0F'.repeat(16)}`, `CA${'0f'.repeat(16)}.>`]) {
      expect(callSummarizedSchema.safeParse({ ...event, callSid: callSidLike }).success).toBe(false);
    }
  });

  test('what is left of an event without its large parts still is an event of its type', () => {
    const slim = withoutLargeParts(event);
    expect(EVENT_SCHEMAS[slim.type].safeParse(slim).success).toBe(true);
    expect(JSON.stringify(slim)).not.toContain('סיכום');
    expect(JSON.stringify(slim)).not.toContain('שלום');
  });

  test('the customer is who called in, or who was called out; anything but E.164 is null', () => {
    const both = { from: '+972501234567', to: '+97231234567' };
    expect(customerPhone({ ...both, direction: 'inbound' })).toBe('+972501234567');
    expect(customerPhone({ ...both, direction: 'outbound' })).toBe('+97231234567');
    for (const from of ['anonymous', 'sip:a@b', '', null, '0501234567', '+0501234567', `+${'1'.repeat(16)}`]) {
      expect(customerPhone({ from, to: null, direction: 'inbound' })).toBeNull();
    }
  });

  test('B20 a caller who hides the number has none, also when the network spells that out in digits', () => {
    for (const from of ['+266696687', '+7378742833', '+2562533', '+8656696', '+86282452253']) {
      expect(customerPhone({ from, to: '+97231234567', direction: 'inbound' }), from).toBeNull();
    }
  });
});
