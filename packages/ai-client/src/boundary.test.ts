import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boundaryFor } from './boundary.ts';

test('B75 a mark is not in the text that it stands around, and another each time', () => {
  fc.assert(fc.property(fc.string(), (text) => !`${text}</call-0`.includes(boundaryFor(text))));
  expect(boundaryFor('x')).not.toBe(boundaryFor('x'));
});
