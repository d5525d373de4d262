import fc from 'fast-check';
import { headers, type MsgHdrs } from 'nats';
import { describe, expect, it } from 'vitest';
import { subjectOf } from '@pipeline/contracts';
import { addClaim, eventHeaders, readClaim, readRevision, readTraceparent } from './event-headers.ts';
import { readEvent } from './event-message.ts';
import { callEnded } from './fixtures/events.ts';
import { newTraceparent, traceId } from './trace-context.ts';

const event = callEnded();
const subject = subjectOf('call.ended', event.businessId, event.callSid);

function read(body: unknown, message: { subject?: string; headers?: MsgHdrs } = {}) {
  const data = body instanceof Uint8Array ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return readEvent('call.ended', { subject, data, ...message });
}

function codeOf(reading: ReturnType<typeof read>): string {
  return reading.kind === 'dead' ? reading.code : 'event';
}

const reference = {
  bucket: 'CALL_EVENTS',
  key: `biz_1/${event.callSid}/media-gateway-r1-ab`,
  sha256: 'a'.repeat(64),
  bytes: 7,
  expiresAt: '2026-12-01T00:00:00Z',
};
function withClaim(change: Partial<Record<keyof typeof reference, string>>): MsgHdrs {
  const target = headers();
  addClaim(target, { ...reference, ...change } as typeof reference); // hostile values of the right type
  return target;
}

describe('reading a message', () => {
  it('an event passes with keys that we do not know', () => {
    expect(read({ ...event, later: true, data: { ...event.data, more: [1] } })).toMatchObject({
      kind: 'event',
      claim: null,
    });
  });

  it.each([
    ['B43 bytes that are no JSON', '{"callSid":', 'NOT_JSON'],
    ['B43 bytes that are no UTF-8', new Uint8Array([0x22, 0xff, 0xfe, 0x22]), 'NOT_JSON'],
    ['B43 no bytes', '', 'NOT_JSON'],
    ['B44 a list', [], 'UNKNOWN_VERSION'],
    ['B44 a number', 7, 'UNKNOWN_VERSION'],
    ['B44 an operator object in place of the CallSid', { ...event, callSid: { $ne: null } }, 'INVALID_EVENT'],
    ['B44 a missing part', { ...event, data: { $where: 'sleep(1)' } }, 'INVALID_EVENT'],
    ['B44 another type than the stream holds', { ...event, type: 'call.summarized' }, 'INVALID_EVENT'],
    ['B45 no version', { ...event, version: undefined }, 'UNKNOWN_VERSION'],
    ['B45 the next major version', { ...event, version: 2 }, 'UNKNOWN_VERSION'],
    ['B45 a version as text', { ...event, version: '1' }, 'UNKNOWN_VERSION'],
    ['B47 another business than the subject', { ...event, businessId: 'biz_2' }, 'SUBJECT_MISMATCH'],
    ['B47 another call than the subject', { ...event, callSid: `CA${'0'.repeat(32)}` }, 'SUBJECT_MISMATCH'],
    ['B54 revision 0', { ...event, revision: 0 }, 'INVALID_EVENT'],
    ['B54 a negative revision', { ...event, revision: -1 }, 'INVALID_EVENT'],
    ['B54 half a revision', { ...event, revision: 1.5 }, 'INVALID_EVENT'],
    ['B54 a revision from the far future', { ...event, revision: 1e9 }, 'INVALID_EVENT'],
  ])('%s is dead', (_name, body, code) => {
    expect(codeOf(read(body))).toBe(code);
  });

  it('B50 a subject with foreign tokens is dead', () => {
    for (const other of [
      'call.ended.biz_1.CA.x',
      'call.ended.*.>',
      `call.ended.b iz.${event.callSid}`,
      `call.dead.biz_1.${event.callSid}`,
    ]) {
      expect(codeOf(read(event, { subject: other }))).toBe('SUBJECT_MISMATCH');
    }
  });

  it('a reference that names another call, bucket or impossible size is dead', () => {
    expect(read(event, { headers: withClaim({}) })).toMatchObject({ kind: 'event', claim: reference });
    for (const change of [
      { key: `biz_2/${event.callSid}/x` },
      { key: `biz_1/CA${'1'.repeat(32)}/x` },
      { key: `biz_1/${event.callSid}/../other` },
      { bucket: 'OTHER' },
      { sha256: 'short' },
      { bytes: '999999999999' },
      { bytes: '-1' },
      { expiresAt: 'never' },
    ]) {
      expect(codeOf(read(event, { headers: withClaim(change) })), JSON.stringify(change)).toBe('BAD_REFERENCE');
    }
  });

  it('whatever the bytes are, it never throws and says why in printable ASCII', () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text)),
      fc.object().map((value) => Buffer.from(JSON.stringify({ ...event, ...value }))),
    );
    const isCalm = fc.property(hostile, (data) => {
      const reading = readEvent('call.ended', { subject, data });
      return reading.kind === 'event' || /^[\x20-\x7e]{0,300}$/.test(reading.reason);
    });
    expect(fc.check(isCalm)).toMatchObject({ failed: false, counterexample: null });
  });
});

describe('headers of events', () => {
  it('B49 a traceparent with a line break is replaced and no header gets in', () => {
    const made = eventHeaders(event, '00-x\r\nNats-Rollup: all', null);
    expect(made.keys().toSorted()).toEqual(['Call-Revision', 'traceparent']);
    expect(readTraceparent(made)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  it('the trace goes on with a new span', () => {
    const parent = newTraceparent();
    const made = readTraceparent(eventHeaders(event, parent, null));
    expect(traceId(made)).toBe(traceId(parent));
    expect(made).not.toBe(parent);
  });

  it('B49 of duplicate headers the first counts, and a malformed revision is none', () => {
    const twice = headers();
    twice.append('Call-Revision', '3');
    twice.append('Call-Revision', '9');
    expect(readRevision(twice)).toBe(3);
    for (const value of ['', '0', '-1', '1.5', 'x', '1e99']) {
      const odd = headers();
      odd.set('Call-Revision', value);
      expect(readRevision(odd), value).toBeNull();
    }
    expect(readRevision(undefined)).toBeNull();
    expect(readClaim(undefined)).toBeNull();
  });
});
