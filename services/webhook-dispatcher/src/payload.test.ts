import { type CallLog } from '@pipeline/contracts';
import { WEBHOOK_KEYS, WEBHOOK_SOFT_LIMIT_BYTES, webhookBodySchema } from '@pipeline/contracts/webhook';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callLogWith } from './fixtures/call-log.ts';
import { buildPayload } from './payload.ts';

const REST = ['status', 'stages', 'fields', 'revision', 'schema_version'];

describe('the body of a webhook', () => {
  it('of a Hebrew call is this text, byte by byte', () => {
    const part = '{"state":"done","code":null,"model":"test-model","attempts":1,"ms":10,"usage":null,"costUsd":null}';
    const expected =
      '{"event_type":"call.completed","timestamp":"2025-12-09T10:30:00Z","business_id":"biz_123",' +
      '"call_id":"CA00000000000000000000000000000001","phone":"+972501234567","city":"תל אביב","service_category":"שיפוצים",' +
      '"summary":"הלקוח מבקש שיפוצים בדירה בתל אביב",' +
      '"transcript":"caller: שלום, אני צריך שיפוצים בדירה\\nagent: באיזו עיר?\\ncaller: בתל אביב",' +
      '"direction":"inbound","duration_sec":300,"status":"complete",' +
      `"stages":{"transcriber":${part},"summarizer":${part},"extractor":${part}},` +
      '"fields":[{"key":"city","value":"תל אביב","status":"found",' +
      '"evidence":{"quote":"בתל אביב","source":"summary","start":25}}],"revision":1,"schema_version":1}';
    expect(buildPayload(callLogWith(), 'call.completed').toString('utf8')).toBe(expected);
  });

  it('has the eleven keys first and in order, only allowed nulls, and valid UTF-8, whatever the CallLog holds', () => {
    fc.assert(
      fc.property(
        anyCallLog(),
        fc.constantFrom('call.completed' as const, 'call.updated' as const),
        (callLog, type) => {
          const bytes = buildPayload(callLog, type);
          const body = webhookBodySchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
          const keys = Object.keys(body);
          expect(keys.slice(0, 11)).toEqual([...WEBHOOK_KEYS]);
          expect(keys.slice(11, 16)).toEqual(REST);
          expect(keys.slice(16)).toEqual(body.transcript_omitted === undefined ? [] : ['transcript_omitted']);
          expect(body.event_type).toBe(type);
          expect(Date.parse(body.timestamp)).toBe(Math.floor(Date.parse(callLog.stored_at) / 1_000) * 1_000);
          expect(body.city).toBe(callLog.extracted_city);
          expect(body.service_category).toBe(callLog.extracted_service);
          expect([callLog.final_transcript, null]).toContain(body.transcript);
        },
      ),
    );
  });

  it('is the same bytes however often it is built', () => {
    fc.assert(
      fc.property(anyCallLog(), (callLog) => {
        const again = structuredClone(callLog);
        expect(buildPayload(callLog, 'call.completed').equals(buildPayload(again, 'call.completed'))).toBe(true);
      }),
    );
  });

  it('says a code of a later release as it is', () => {
    const stages = {
      transcriber: { ...callLogWith({}).stages.transcriber, state: 'failed', code: 'OF_A_LATER_RELEASE' },
    };
    // What a later extractor stored; the reader of CallLogs has let it pass.
    expect(bodyOf(callLogWith({ stages } as Partial<CallLog>)).stages).toMatchObject(stages);
  });

  it('never takes the live transcript in place of the final one', () => {
    const body = bodyOf(callLogWith({ final_transcript: null, status: 'partial' }));
    expect(body.transcript).toBeNull();
    expect(JSON.stringify(body)).not.toContain('live words');
  });

  it.each([
    [{ direction: 'inbound', from: '+972501234567', to: '+97231234567' }, '+972501234567'],
    [{ direction: 'outbound', from: '+972501234567', to: '+97231234567' }, '+97231234567'],
    [{ direction: 'inbound', from: 'anonymous', to: '+97231234567' }, null],
    [{ direction: 'inbound', from: null, to: '+97231234567' }, null],
  ] as const)('names the customer of %j as %s', (call, phone) => {
    expect(bodyOf(callLogWith(call)).phone).toBe(phone);
  });

  it('leaves a transcript out only above 256 KiB, and says how large it was', () => {
    const empty = buildPayload(callLogWith({ final_transcript: '' }), 'call.completed').length;
    const fits = 'ת'.repeat((WEBHOOK_SOFT_LIMIT_BYTES - empty) / 2);
    expect(bodyOf(callLogWith({ final_transcript: fits })).transcript).toBe(fits);
    const over = bodyOf(callLogWith({ final_transcript: `${fits}ab` }));
    expect(over).toMatchObject({
      transcript: null,
      transcript_omitted: { reason: 'too_large', bytes: Buffer.byteLength(fits) + 2 },
      fields: [{ key: 'city', evidence: { quote: 'בתל אביב' } }],
    });
  });

  it('leaves the evidence of fields out when the body is too large without the transcript as well', () => {
    const quote = 'q'.repeat(2_000);
    const fields = Array.from({ length: 150 }, (_, index) => ({
      key: `field_${index}`,
      value: 'kept',
      status: 'found' as const,
      evidence: { quote, source: 'summary' as const, start: 0 },
    }));
    const bytes = buildPayload(callLogWith({ fields, final_transcript: 'caller: hi' }), 'call.completed');
    const body = webhookBodySchema.parse(JSON.parse(bytes.toString('utf8')));
    expect(bytes.length).toBeLessThanOrEqual(WEBHOOK_SOFT_LIMIT_BYTES);
    expect(body.fields.every((field) => field.value === 'kept' && field.evidence === null)).toBe(true);
    expect(body.transcript_omitted).toEqual({ reason: 'too_large', bytes: 10 });
  });
});

function bodyOf(callLog: CallLog) {
  return webhookBodySchema.parse(JSON.parse(buildPayload(callLog, 'call.completed').toString('utf8')));
}

function anyCallLog() {
  const text = fc.option(fc.string({ unit: 'binary', maxLength: 300 }));
  const instant = fc
    .date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString());
  return (
    fc
      .record({
        final_transcript: fc.oneof(text, fc.constant('ש'.repeat(140_000))),
        summary: text,
        extracted_city: text,
        extracted_service: text,
        from: text,
        to: text,
        direction: fc.constantFrom('inbound' as const, 'outbound' as const),
        duration_sec: fc.option(fc.nat()),
        stored_at: instant,
        revision: fc.integer({ min: 1, max: 1_000_000 }),
        fields: fc.array(
          fc.record({
            key: fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/),
            value: fc.jsonValue(),
            status: fc.constantFrom('found' as const, 'not_mentioned' as const),
            evidence: fc.constant(null),
          }),
        ),
      })
      // jsonValue's type is wider than JSON as zod describes it; its values are JSON.
      .map((changes) => callLogWith(changes as Partial<CallLog>))
  );
}
