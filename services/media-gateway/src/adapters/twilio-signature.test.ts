import { describe, expect, it } from 'vitest';
import { PUBLIC_BASE_URL, signatureOf, voiceForm } from '../testing/twilio.ts';
import { isSignedByTwilio, parseForm } from './twilio-signature.ts';

const url = `${PUBLIC_BASE_URL}/twilio/voice`;
const fields = Object.fromEntries(voiceForm);

describe('a signature', () => {
  it('is never accepted for an empty token, which anybody knows', () => {
    expect(isSignedByTwilio([''], { signature: signatureOf(url, voiceForm, ''), url, fields })).toBe(false);
  });

  it('is refused, not thrown at, when the URL is none', () => {
    expect(isSignedByTwilio(['token'], { signature: 'AAAA', url: '/relative', fields })).toBe(false);
  });
});

describe('a form', () => {
  it('keeps every pair, also of keys that come again', () => {
    expect({ ...parseForm('a=1&b=%D7%A9&a=2&a=1&c=') }).toEqual({ a: ['1', '2', '1'], b: 'ש', c: '' });
  });

  it('takes any key for a key', () => {
    const form = parseForm('__proto__=x&constructor=y');
    expect([Object.keys(form), Object.getPrototypeOf(form)]).toEqual([['__proto__', 'constructor'], null]);
  });

  it('survives bad escapes, NUL and lone surrogates', () => {
    expect({ ...parseForm('a=%E0%A4%A&b=%00&c=%ED%A0%80&%=1') }).toMatchObject({ b: '\u0000' });
  });
});
