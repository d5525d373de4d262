import { describe, expect, it } from 'vitest';
import { PUBLIC_BASE_URL, signatureOf, voiceForm } from '../testing/twilio.ts';
import { isSignedByTwilio } from './twilio-signature.ts';

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
