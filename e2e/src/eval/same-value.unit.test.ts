import type { FieldDefinition, FieldValue } from '@pipeline/contracts';
import { describe, expect, test } from 'vitest';
import { isSameValue } from './same-value.ts';

type Example = [type: FieldDefinition['type'], expected: FieldValue, actual: FieldValue];

describe('an expected value', () => {
  test.each<Example>([
    ['string', 'תל אביב', 'תל־אביב'],
    ['string', 'תל אביב', 'תֵּל אָבִיב'],
    ['string', 'סתימה', 'לסתימה'],
    ['string', 'الناصرة', 'الناصره'],
    ['string', 'Oak Park', 'oak park.'],
    ['email', 'Dana@example.com', 'dana@example.com'],
    ['integer', 3, 3],
    ['boolean', false, false],
    ['enum', 'this_week', 'this_week'],
    ['phone', '+972545550177', '+972545550177'],
    ['list', ['אחוזה', 'דניה'], ['דניה', 'אחוזה']],
    ['object', { make: 'Honda', year: 2016 }, { year: 2016, make: 'honda' }],
    ['object', { make: 'Honda', year: null }, { make: 'Honda' }],
    ['text', 'My brakes squeal every time I stop', 'The brakes squeal every time I stop.'],
    ['string', null, null],
  ])('%s %j is met by %j', (type, expected, actual) => {
    expect(isSameValue(type, expected, actual)).toBe(true);
  });

  test.each<Example>([
    ['string', 'תל אביב', 'אביב'],
    ['string', 'תל אביב', 'תל אביב יפו'],
    ['string', 'לוד', 'הוד'],
    ['string', 'נתניה', 'נהריה'],
    ['string', 'painting', 'paint'],
    ['string', 'Oak Park', 'Park Oak'],
    ['string', '!', '?'],
    ['string', 'x', null],
    ['string', null, 'x'],
    ['integer', 3, '3'],
    ['integer', 3, 3.5],
    ['boolean', true, false],
    ['enum', 'this_week', 'this week'],
    ['phone', '+972545550177', '0545550177'],
    ['date', '2025-12-10', '2025-12-11'],
    ['email', 'dana@example.com', 'dana@example.org'],
    ['list', ['אחוזה', 'דניה'], ['אחוזה']],
    ['list', ['אחוזה'], 'אחוזה'],
    ['object', { make: 'Honda', year: 2016 }, { make: 'Honda', year: 2017 }],
    ['object', { make: 'Honda' }, { make: 'Honda', model: 'Civic' }],
    ['text', 'My brakes squeal every time I stop', 'The caller wants an oil change tomorrow'],
  ])('%s %j is not met by %j', (type, expected, actual) => {
    expect(isSameValue(type, expected, actual)).toBe(false);
  });
});
