import fc from 'fast-check';
import { expect, test } from 'vitest';
import { faultsOf, NO_FAULTS } from './faults.ts';

const countOf = (calls: number, of: (n: number) => boolean): number =>
  Array.from({ length: calls }, (_, n) => n).filter(of).length;

test('exactly the asked share of the calls meets each fault', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 10 }), (calls, tenths) => {
      const share = tenths / 10;
      const shares = { ...NO_FAULTS, drop: share, duplicate: share };
      const asked = Math.round(share * calls);
      expect(countOf(calls, (n) => faultsOf(n, calls, shares).network === 'drop')).toBe(asked);
      expect(countOf(calls, (n) => faultsOf(n, calls, shares).callback === 'twice')).toBe(asked);
    }),
  );
});

test('a bad network meets every kind of callback', () => {
  const shares = { drop: 0.25, stall: 0.25, reorder: 0.25, duplicate: 0.25, missing: 0.25 };
  const met = new Set(
    Array.from({ length: 100 }, (_, n) => faultsOf(n, 100, shares)).map(
      ({ network, callback }) => `${network} ${callback}`,
    ),
  );
  expect(met.size).toBe(12);
});

test('without shares nothing goes wrong', () => {
  expect(countOf(100, (n) => faultsOf(n, 100, NO_FAULTS).network !== 'none')).toBe(0);
  expect(countOf(100, (n) => faultsOf(n, 100, NO_FAULTS).callback !== 'once')).toBe(0);
});
