import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isBase64 } from './mulaw.ts';

/** Base64 as RFC 4648 writes it, group by group: slow, and easy to check by eye. */
const GROUPS = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const nearBase64 = fc.string({
  unit: fc.constantFrom('A', 'z', '9', '+', '/', '=', '=', '-', '\n', ' ', 'é'),
  maxLength: 9,
});
const encoded = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('base64'));

test('exactly standard base64 with its padding is taken for base64 (20000 strings)', () => {
  const taken = { yes: 0, no: 0 };
  fc.assert(
    fc.property(fc.oneof(nearBase64, encoded, fc.string()), (text) => {
      expect(isBase64(text)).toBe(GROUPS.test(text));
      taken[isBase64(text) ? 'yes' : 'no'] += 1;
    }),
    { numRuns: 20_000 },
  );
  expect(Math.min(taken.yes, taken.no)).toBeGreaterThan(1_000);
});
