import { expect, test } from 'vitest';
import { businessSettingsSchema } from '@pipeline/contracts';
import { hasMask, maskSecrets, restoreSecrets } from './secrets.ts';

const secretOf = (byte: number): string => `whsec_${Buffer.alloc(32, byte).toString('base64')}`;
const STORED = businessSettingsSchema.parse({
  id: 'biz_1',
  name: 'Test',
  agent: { instructions: 'Help.', greeting: 'Hi' },
  inbound_webhook_url: 'https://hooks.example/in?token=canary',
  webhook_secrets: [secretOf(1), { secret: secretOf(2), expiresAt: '2030-01-01T00:00:00Z' }],
  webhook_headers: { Authorization: 'canary' },
});

test('masked settings hold no secret, no value of a header and no query', () => {
  const text = JSON.stringify(maskSecrets(STORED));
  expect(text).not.toContain('canary');
  for (const byte of [1, 2]) expect(text).not.toContain(secretOf(byte));
  expect(maskSecrets(STORED)).toMatchObject({
    webhook_secrets: ['whsec_[kept]', { secret: 'whsec_[kept]', expiresAt: '2030-01-01T00:00:00Z' }],
    webhook_headers: { Authorization: '[kept]' },
    inbound_webhook_url: 'https://hooks.example/in?[kept]',
  });
});

test('masked settings that are edited and set again keep the stored secrets', () => {
  const edited = { ...maskSecrets(STORED), name: 'New', keywords: ['x'] };
  expect(restoreSecrets(edited, STORED)).toEqual({ ...STORED, name: 'New', keywords: ['x'] });
});

test('a new secret beside a kept one is taken, and what nothing is stored for stays masked', () => {
  const edited = { ...maskSecrets(STORED), webhook_secrets: [secretOf(9), 'whsec_[kept]'] };
  expect(restoreSecrets(edited, STORED)).toMatchObject({ webhook_secrets: [secretOf(9), secretOf(2)] });
  expect(hasMask(restoreSecrets(maskSecrets(STORED), null))).toBe(true);
  const more = { ...maskSecrets(STORED), webhook_headers: { 'X-New': '[kept]' } };
  expect(hasMask(restoreSecrets(more, STORED))).toBe(true);
  const elsewhere = { ...maskSecrets(STORED), inbound_webhook_url: 'https://evil.example/in?[kept]' };
  expect(restoreSecrets(elsewhere, STORED)).toMatchObject({ inbound_webhook_url: 'https://evil.example/in?[kept]' });
});
