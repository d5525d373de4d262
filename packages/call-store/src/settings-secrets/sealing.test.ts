import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSealed, open, seal, sealingKeyId, type SettingsKey } from './sealing.ts';

const keyOf = (id: string): SettingsKey => ({ id, key: randomBytes(32) });
const PLACE = { businessId: 'biz_1', purpose: 'webhook secret' };
const FIRST = keyOf('k1');
const SECOND = keyOf('k2');

test('whatever is sealed opens again, with any key of the ring, and its text shows nothing of it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.constantFrom(FIRST, SECOND), (value, key) => {
      const sealed = seal(value, key, PLACE);
      expect(isSealed(sealed)).toBe(true);
      expect(sealingKeyId(sealed)).toBe(key.id);
      expect(open(sealed, [FIRST, SECOND], PLACE)).toBe(value);
      expect(value.length > 8 && sealed.includes(value)).toBe(false);
    }),
  );
});

test('the same value is never sealed to the same text', () => {
  const texts = Array.from({ length: 200 }, () => seal('same', FIRST, PLACE));
  expect(new Set(texts).size).toBe(200);
});

test('a changed text, another business, another purpose or another key of the same name opens nothing', () => {
  const sealed = seal('canary', FIRST, PLACE);
  for (let at = sealed.indexOf(':', 8) + 1; at < sealed.length - 1; at += 1) {
    const changed = `${sealed.slice(0, at)}${sealed[at] === 'A' ? 'B' : 'A'}${sealed.slice(at + 1)}`;
    expect(() => open(changed, [FIRST], PLACE), String(at)).toThrow('does not open');
  }
  expect(() => open(sealed, [FIRST], { ...PLACE, businessId: 'biz_2' })).toThrow('biz_2');
  expect(() => open(sealed, [FIRST], { ...PLACE, purpose: 'header x' })).toThrow('header x');
  expect(() => open(sealed, [keyOf('k1')], PLACE)).toThrow('another key of that name');
});

test('a key that is not in the ring is named, and the secret is not', () => {
  const sealed = seal('canary', FIRST, PLACE);
  expect(() => open(sealed, [SECOND], PLACE)).toThrow('the key k1, which SETTINGS_KEYS does not hold');
  expect(() => open(sealed, [], PLACE)).not.toThrow('canary');
});

test('a value that an older version stored plain is read as it is', () => {
  expect(open('whsec_plain', [FIRST], PLACE)).toBe('whsec_plain');
  expect(sealingKeyId('whsec_plain')).toBeNull();
});
