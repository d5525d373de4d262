import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { CITY_FIELD, FIELD_TYPES, fieldsToExtract, type FieldDefinition } from './fields.ts';
import { businessSettingsSchema } from './settings.ts';
import { activeSecrets, webhookSecretSchema } from './webhook-secrets.ts';

const minimal = { id: 'biz_1', name: 'One', agent: { instructions: 'Be kind.', greeting: 'Hello.' } };
const secret = (bytes: number) => `whsec_${randomBytes(bytes).toString('base64')}`;
const field = (over: object): object => ({ key: 'urgency', type: 'string', description: 'How urgent it is.', ...over });
const twoOptions = (second: object): object => ({
  fields: [field({ type: 'enum', options: [{ value: 'a', synonyms: ['yes'] }, second] })],
});
const twice = [
  { key: 'street', type: 'string' },
  { key: 'street', type: 'integer' },
];
const long = Array.from({ length: 100 }, (_, n) => field({ key: `f${n}`, description: 'x'.repeat(1_000) }));
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

  test('a secret signs until it expires, and a URL needs one that does not', () => {
    const [old, fresh] = [secret(24), secret(32)];
    const rotated = [{ secret: old, expiresAt: '2025-12-10T10:30:00.000Z' }, fresh];
    const url = { inbound_webhook_url: 'https://hooks.example.org/in' };
    expect(problems({ ...url, webhook_secrets: rotated })).toEqual([]);
    expect(problems({ ...url, webhook_secrets: rotated.slice(0, 1) })).toEqual(['webhook_secrets']);
    expect(activeSecrets(rotated, Date.parse('2025-12-10T10:29:59.999Z'))).toEqual([old, fresh]);
    expect(activeSecrets(rotated, Date.parse('2025-12-10T10:30:00.000Z'))).toEqual([fresh]);
  });

  test.each([
    ['a schedule of no step', { webhook_schedule_seconds: [] }, 'webhook_schedule_seconds'],
    ['a rate of nothing', { webhook_rate_per_second: 0 }, 'webhook_rate_per_second'],
    ['no delivery at a time', { webhook_max_in_flight: 0 }, 'webhook_max_in_flight'],
    ['a webhook URL without a secret', { inbound_webhook_url: 'https://hooks.example.org/in' }, 'webhook_secrets'],
    ['B100 two fields with one key', { fields: [field({}), field({})] }, 'fields.1.key'],
    ['an enum without options', { fields: [field({ type: 'enum' })] }, 'fields.0.options'],
    ['options on a field that is no enum', { fields: [field({ options: [{ value: 'a' }] })] }, 'fields.0.options'],
    ['an unknown key in a field', { fields: [field({ typo: true })] }, 'fields.0'],
    ['a header that the signature owns', { webhook_headers: { 'Webhook-Id': 'x' } }, 'webhook_headers'],
    ['a header with a line break', { webhook_headers: { 'X-A': 'a\r\nb' } }, 'webhook_headers.X-A'],
    ['retention of no day', { retention_days: 0 }, 'retention_days'],
    [
      'a boolean that may be more',
      { fields: [field({ type: 'boolean', options: [{ value: 'maybe' }] })] },
      'fields.0.options.0.value',
    ],
    [
      'B100 one word for two options',
      twoOptions({ value: 'b', synonyms: ['x', 'Yes '] }),
      'fields.0.options.1.synonyms.1',
    ],
    ['B100 an option that is another one', twoOptions({ value: 'a' }), 'fields.0.options.1.value'],
    [
      'B100 a synonym that is found anywhere',
      twoOptions({ value: 'b', synonyms: [' . '] }),
      'fields.0.options.1.synonyms.0',
    ],
    [
      'B100 a synonym that hides what it says',
      twoOptions({ value: 'b', synonyms: ['a\u202eb'] }),
      'fields.0.options.1.synonyms.0',
    ],
    ['a description without words', { fields: [field({ description: '...' })] }, 'fields.0.description'],
    ['B100 a reference', { fields: [field({ $ref: '#' })] }, 'fields.0'],
    [
      'two properties with one key',
      { fields: [field({ type: 'object', properties: twice })] },
      'fields.0.properties.1.key',
    ],
    ['B100 more words than a question holds', { fields: long }, 'fields'],
    ['a time zone that is none', { timezone: 'Mars/Olympus' }, 'timezone'],
    ['B100 a thousand fields', { fields: Array.from({ length: 1_000 }, (_, n) => field({ key: `f${n}` })) }, 'fields'],
  ])('%s is refused with its path', (_name, settings, path) => {
    expect(problems(settings)).toContain(path);
  });

  test('fifty fields of every type are accepted, with descriptions in any language', () => {
    const fields = Array.from({ length: 60 }, (_, at) => {
      const type = FIELD_TYPES[at % FIELD_TYPES.length];
      const options = [{ value: 'true', synonyms: ['yes', 'כן'] }, { value: 'false' }];
      return {
        ...field({ key: `f${at}`, type, description: at % 2 === 0 ? 'כמה דחוף זה' : 'مدى الاستعجال' }),
        ...(type === 'enum' || type === 'boolean' ? { options } : {}),
        ...(type === 'object' ? { properties: twice.slice(0, 1) } : {}),
      };
    });
    expect(problems({ fields, timezone: 'Asia/Jerusalem' })).toEqual([]);
  });

  test('city and service are always extracted, first, and as the business defines them', () => {
    const city: FieldDefinition = { ...CITY_FIELD, description: 'עיר השירות' };
    const urgency: FieldDefinition = { ...CITY_FIELD, key: 'urgency' };
    expect(fieldsToExtract([]).map((one) => one.key)).toEqual(['city', 'service']);
    expect(fieldsToExtract([urgency, city]).map((one) => one.key)).toEqual(['city', 'service', 'urgency']);
    expect(fieldsToExtract([urgency, city])[0]).toBe(city);
  });
});
