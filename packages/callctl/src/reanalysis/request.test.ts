import { describe, expect, test } from 'vitest';
import { UsageError } from '../verb.ts';
import { readRequest } from './request.ts';

const now = new Date('2026-11-25T12:00:00Z');
const callSid = `CA${'0f'.repeat(16)}`;
const typed = { from: 'transcribed', rate: '2', wait: '300', until: 'now' };

describe('what is typed', () => {
  test('selects one call, or those of a stretch of time', () => {
    expect(readRequest({ ...typed, call: callSid }, now)).toEqual({
      selection: { kind: 'one', callSid },
      from: 'transcribed',
      businessId: null,
      notify: false,
      perSecond: 2,
      waitMs: 300_000,
      isRehearsal: false,
    });
    const many = readRequest({ ...typed, since: '24h', business: 'biz_1', 'dry-run': true, notify: true }, now);
    expect(many).toMatchObject({
      selection: { kind: 'stored', from: new Date('2026-11-24T12:00:00Z'), to: now, businessId: 'biz_1' },
      isRehearsal: true,
      notify: true,
    });
  });

  test.each([
    ['neither a call nor a time', {}],
    ['both', { call: callSid, since: '1h' }],
    ['a call that is none', { call: 'CA1' }],
    ['an unknown start', { call: callSid, from: 'ended' }],
    ['a rate of nothing', { call: callSid, rate: '0' }],
    ['a rate that is no number', { call: callSid, rate: 'fast' }],
    ['a business that is none', { call: callSid, business: 'a b' }],
    ['an end before the start', { since: '1h', until: '2h' }],
  ])('is refused as %s', (_name, options) => {
    expect(() => readRequest({ ...typed, ...options }, now)).toThrow(UsageError);
  });
});
