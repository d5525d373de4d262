import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { signAttempt } from './signing.ts';

const SECRET = 'whsec_cGVyZmVjdC1jYWxsLXBpcGVsaW5lLXRlc3Qta2V5LTA=';
const OTHER = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

describe('signing an attempt', () => {
  it('makes the fixed vector byte by byte', () => {
    const body = Buffer.from('{"event_type":"call.completed","city":"תל אביב"}', 'utf8');
    expect(body.length).toBe(54);
    const headers = signAttempt({
      id: 'msg_CA00000000000000000000000000000001_completed',
      body,
      secrets: [SECRET],
      nowMs: Date.parse('2025-12-09T10:30:00.999Z'),
    });
    expect(headers).toEqual({
      'webhook-id': 'msg_CA00000000000000000000000000000001_completed',
      'webhook-timestamp': '1765276200',
      'webhook-signature': 'v1,hXQiPA8QrDmBWmhG2+ERy3f82AuSEbn7amyHV45+C+U=',
    });
  });

  it('is verified by the reference library with any of the secrets, over any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.constantFrom(SECRET, OTHER), (text, held) => {
        const body = JSON.stringify({ text });
        const headers = signAttempt({
          id: 'msg_1',
          body: Buffer.from(body),
          secrets: [OTHER, SECRET],
          nowMs: Date.now(),
        });
        expect(new Webhook(held).verify(body, { ...headers })).toEqual({ text });
      }),
    );
  });

  it('is not verified once a byte of the body differs', () => {
    const headers = signAttempt({ id: 'msg_1', body: Buffer.from('{"a":1}'), secrets: [SECRET], nowMs: Date.now() });
    expect(() => new Webhook(SECRET).verify('{"a":2}', { ...headers })).toThrow('No matching signature');
  });

  it('refuses a secret of fewer than 24 bytes, one without its prefix, no secret at all, and an id with a dot', () => {
    const attempt = { id: 'msg_1', body: Buffer.from('{}'), secrets: [SECRET], nowMs: 0 };
    const short = `whsec_${Buffer.alloc(23).toString('base64')}`;
    expect(() => signAttempt({ ...attempt, secrets: [SECRET, short] })).toThrow(TypeError);
    expect(() => signAttempt({ ...attempt, secrets: [SECRET.slice(6)] })).toThrow(TypeError);
    expect(() => signAttempt({ ...attempt, secrets: [] })).toThrow(TypeError);
    expect(() => signAttempt({ ...attempt, id: 'msg.1' })).toThrow(TypeError);
  });
});
