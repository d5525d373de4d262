import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { callFilter, parseSubject, STREAMS, subjectOf, type SubjectKind } from './subjects.ts';

const kinds = Object.keys(STREAMS) as SubjectKind[]; // Object.keys loses the literal type
const token = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);

describe('subjects', () => {
  test('a subject that was built is taken apart into what it was built from', () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), token, token, (kind, businessId, callSid) => {
        expect(parseSubject(subjectOf(kind, businessId, callSid))).toEqual({ kind, businessId, callSid });
      }),
    );
  });

  test('no token with a dot, a wildcard, a space or nothing in it ever reaches a subject', () => {
    const bad = fc.string({ minLength: 0, maxLength: 80 }).filter((text) => !/^[A-Za-z0-9_-]{1,64}$/.test(text));
    fc.assert(
      fc.property(bad, token, (wrong, right) => {
        expect(() => subjectOf('call.ended', wrong, right)).toThrow(TypeError);
        expect(() => subjectOf('call.ended', right, wrong)).toThrow(TypeError);
        expect(() => callFilter('call.ended', wrong)).toThrow(TypeError);
      }),
    );
  });

  test('a subject that is not ours is not parsed', () => {
    for (const subject of [
      '',
      'call.ended',
      'call.ended.b',
      'call.ended.b.c.d',
      'call.other.b.c',
      'call.ended.*.c',
      'call.ended..c',
    ]) {
      expect(parseSubject(subject), subject).toBeNull();
    }
  });
});
