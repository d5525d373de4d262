import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { CITY_FIELD, fieldsToExtract, type FieldDefinition } from './fields.ts';
import { businessSettingsSchema, webhookSecretSchema } from './settings.ts';

const minimal = { id: 'biz_1', name: 'One', agent: { instructions: 'Be kind.', greeting: 'Hello.' } };
const secret = (bytes: number) => `whsec_${randomBytes(bytes).toString('base64')}`;
const field = (over: object): object => ({ key: 'urgency', type: 'string', description: 'How urgent it is.', ...over });
const problems = (settings: object) => {
  const parsed = businessSettingsSchema.safeParse({ ...minimal, ...settings });
  return parsed.success ? [] : parsed.error.issues.map((issue) => issue.path.join('.'));
};

describe('business settings', () => {
  test('the smallest settings are usable and send no webhook', () => {
    expect(businessSettingsSchema.parse(minimal)).toMatchObject({
      inbound_webhook_url: null,
      retention_days: 365,
      fields: [],
    });
  });

  test('a secret of fewer than 24 or more than 64 bytes is refused', () => {
    for (const bytes of [24, 25, 26, 32, 63, 64])
      expect(webhookSecretSchema.safeParse(secret(bytes)).success, String(bytes)).toBe(true);
    for (const bytes of [0, 5, 16, 23, 65, 128])
      expect(webhookSecretSchema.safeParse(secret(bytes)).success, String(bytes)).toBe(false);
  });

  test.each([
    ['a webhook URL without a secret', { inbound_webhook_url: 'https://hooks.example.org/in' }, 'webhook_secrets'],
    ['two fields with one key', { fields: [field({}), field({})] }, 'fields'],
    ['an enum without options', { fields: [field({ type: 'enum' })] }, 'fields.0.options'],
    ['options on a field that is no enum', { fields: [field({ options: [{ value: 'a' }] })] }, 'fields.0.options'],
    ['an unknown key in a field', { fields: [field({ typo: true })] }, 'fields.0'],
    ['a header that the signature owns', { webhook_headers: { 'Webhook-Id': 'x' } }, 'webhook_headers'],
    ['a header with a line break', { webhook_headers: { 'X-A': 'a\r\nb' } }, 'webhook_headers.X-A'],
    ['retention of no day', { retention_days: 0 }, 'retention_days'],
    ['a thousand fields', { fields: Array.from({ length: 1_000 }, (_, n) => field({ key: `f${n}` })) }, 'fields'],
  ])('%s is refused with its path', (_name, settings, path) => {
    expect(problems(settings)).toContain(path);
  });

  test('city and service are always extracted, first, and as the business defines them', () => {
    const city: FieldDefinition = { ...CITY_FIELD, description: 'עיר השירות' };
    const urgency: FieldDefinition = { ...CITY_FIELD, key: 'urgency' };
    expect(fieldsToExtract([]).map((one) => one.key)).toEqual(['city', 'service']);
    expect(fieldsToExtract([urgency, city]).map((one) => one.key)).toEqual(['city', 'service', 'urgency']);
    expect(fieldsToExtract([urgency, city])[0]).toBe(city);
  });
});
