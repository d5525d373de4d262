import { describe, expect, test } from 'vitest';
import { fieldDefinitionSchema, type FieldDefinition } from '@pipeline/contracts';
import { countryOf } from './address.ts';
import { readValue } from './value.ts';

function fieldOf(type: FieldDefinition['type'], more: object = {}): FieldDefinition {
  return fieldDefinitionSchema.parse({ key: 'field', type, description: 'A field.', ...more });
}

const options = [{ value: 'renovation', synonyms: ['שיפוצים', 'Remodelling'] }, { value: 'none' }, { value: 'None' }];
const properties = [
  { key: 'street', type: 'string' },
  { key: 'rooms', type: 'integer' },
];
const cases: [FieldDefinition, unknown, unknown][] = [
  [fieldOf('string'), '  תל\n אביב ', 'תל אביב'],
  [fieldOf('string'), '\u001b[31mred\u202e\u200b', 'red'],
  [fieldOf('string'), '<img src=x onerror=alert(1)>Dana [site](https://evil.example)', 'Dana site'],
  [fieldOf('string'), '=HYPERLINK("https://evil.example")', 'HYPERLINK("https://evil.example")'],
  [fieldOf('text'), 'card 4111 1111 1111 1111, cvv 123', 'card •••• 1111, cvv •••'],
  [fieldOf('phone'), '+1 900 555 0100', 'invalid'],
  [fieldOf('phone'), '+44 909 879 0123', 'invalid'],
  [fieldOf('string'), '', null],
  [fieldOf('string'), 'N/A', null],
  [fieldOf('string'), '"null"', '"null"'],
  [fieldOf('string'), 'null', null],
  [fieldOf('string'), null, null],
  [fieldOf('string'), undefined, null],
  [fieldOf('string'), 5, 'invalid'],
  [fieldOf('string'), { $ne: null }, 'invalid'],
  [fieldOf('string'), 'x'.repeat(501), 'invalid'],
  [fieldOf('text'), 'two\r\n lines ', 'two\nlines'],
  [fieldOf('text'), 'x'.repeat(5_001), 'invalid'],
  [fieldOf('integer'), 3, 3],
  [fieldOf('integer'), '3', 3],
  [fieldOf('integer'), 3.5, 'invalid'],
  [fieldOf('integer'), '3 rooms', 'invalid'],
  [fieldOf('integer'), 2 ** 60, 'invalid'],
  [fieldOf('number'), -3.5, -3.5],
  [fieldOf('number'), '1e9', 'invalid'],
  [fieldOf('number'), Number.POSITIVE_INFINITY, 'invalid'],
  [fieldOf('boolean'), false, false],
  [fieldOf('boolean'), 'true', true],
  [fieldOf('boolean'), 'yes', 'invalid'],
  [fieldOf('enum', { options }), 'renovation', 'renovation'],
  [fieldOf('enum', { options }), 'שִׁפוצים', 'invalid'],
  [fieldOf('enum', { options }), ' שיפוצים', 'renovation'],
  [fieldOf('enum', { options }), 'remodelling', 'renovation'],
  [fieldOf('enum', { options }), 'none', 'none'],
  [fieldOf('enum', { options }), 'None', 'None'],
  [fieldOf('enum', { options }), 'NONE', 'none'],
  [fieldOf('enum', { options }), 'plumbing', 'invalid'],
  [fieldOf('enum', { options }), 'unknown', null],
  [fieldOf('date'), '2025-12-09', '2025-12-09'],
  [fieldOf('date'), '2024-02-29', '2024-02-29'],
  [fieldOf('date'), '2025-02-29', 'invalid'],
  [fieldOf('date'), '2025-02-31', 'invalid'],
  [fieldOf('date'), '9999-01-01', 'invalid'],
  [fieldOf('date'), '0099-01-01', 'invalid'],
  [fieldOf('date'), '2025-13-01', 'invalid'],
  [fieldOf('date'), 'tomorrow', 'invalid'],
  [fieldOf('date'), '2025-12-09T10:00:00Z', 'invalid'],
  [fieldOf('time'), '9:05', '09:05'],
  [fieldOf('time'), '23:59:30', '23:59'],
  [fieldOf('time'), '24:00', 'invalid'],
  [fieldOf('time'), '5 pm', 'invalid'],
  [fieldOf('phone'), '050-123-4567', '+972501234567'],
  [fieldOf('phone'), '+44 20 7946 0958', '+442079460958'],
  [fieldOf('phone'), '12', 'invalid'],
  [fieldOf('phone'), 'call 050-123-4567 now', 'invalid'],
  [fieldOf('phone'), '+1 900', 'invalid'],
  [fieldOf('email'), 'Dani.Levi@Example.COM', 'Dani.Levi@example.com'],
  [fieldOf('email'), 'dani at example', 'invalid'],
  [fieldOf('list'), [' a ', 'b', 'a', '', null], ['a', 'b']],
  [fieldOf('list'), [], null],
  [fieldOf('list'), ['N/A'], null],
  [fieldOf('list'), ['a', 5], 'invalid'],
  [fieldOf('list'), 'a, b', 'invalid'],
  [fieldOf('list'), Array.from({ length: 51 }, (_, index) => `item ${index}`), 'invalid'],
  [fieldOf('object', { properties }), { street: 'Herzl', rooms: '3', admin: true }, { street: 'Herzl', rooms: 3 }],
  [fieldOf('object', { properties }), { street: 'Herzl' }, { street: 'Herzl', rooms: null }],
  [fieldOf('object', { properties }), { street: null, rooms: null }, null],
  [fieldOf('object', { properties }), JSON.parse('{"__proto__":{"street":"x"}}'), null],
  [fieldOf('object', { properties }), { street: 'Herzl', rooms: 'many' }, 'invalid'],
  [fieldOf('object', { properties }), [['street', 'Herzl']], 'invalid'],
];

describe('a value of a model', () => {
  test.each(cases)('read by %o from %j is %j', (field, raw, expected) => {
    const judged = readValue(field, raw, 'IL');
    const outcome = judged.kind === 'value' ? judged.value : judged.kind === 'nothing' ? null : 'invalid';
    expect(outcome).toEqual(expected);
  });

  test('that is a number without its country needs one from the business', () => {
    expect(readValue(fieldOf('phone'), '050-123-4567', undefined)).toEqual({ kind: 'invalid' });
    expect(readValue(fieldOf('phone'), '+972 50 123 4567', undefined)).toMatchObject({ value: '+972501234567' });
  });

  test('gets its country from the first number of the business that tells one', () => {
    expect(countryOf([null, 'anonymous', '+97235550100', '+13125550100'])).toBe('IL');
    expect(countryOf([])).toBeUndefined();
  });
});
