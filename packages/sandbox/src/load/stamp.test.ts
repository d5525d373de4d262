import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFrameStamp } from './stamp.ts';

const stamp = createFrameStamp(160);
const stamps = fc.record({
  call: fc.nat(99_999_999),
  sequence: fc.nat(99_999_999),
  sentUs: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
});

test('a stamped frame is base64 of exactly its bytes and reads back as it was written', () => {
  fc.assert(
    fc.property(stamps, ({ call, sequence, sentUs }) => {
      const payload = stamp.write(call, sequence, sentUs);
      expect(Buffer.from(payload, 'base64').length).toBe(160);
      expect(Buffer.from(payload, 'base64').toString('base64')).toBe(payload);
      expect(stamp.read(payload)).toEqual({ kind: 'whole', stamp: { call, sequence, sentUs } });
    }),
  );
});

test('a frame with one other character is never read as the frame that was sent', () => {
  fc.assert(
    fc.property(stamps, fc.nat(215), fc.constantFrom('A', '7', '/'), ({ call, sequence, sentUs }, at, character) => {
      const payload = stamp.write(call, sequence, sentUs);
      fc.pre(payload[at] !== character);
      const changed = payload.slice(0, at) + character + payload.slice(at + 1);
      expect(stamp.read(changed)).not.toEqual(stamp.read(payload));
    }),
  );
});

test('audio of somebody else is foreign, a frame that was cut or filled up is damaged', () => {
  const payload = stamp.write(1, 2, 3);
  expect(stamp.read(Buffer.alloc(160, 0xff).toString('base64'))).toEqual({ kind: 'foreign' });
  expect(stamp.read(payload.slice(0, -4))).toEqual({ kind: 'damaged' });
  expect(stamp.read(`${payload}AAAA`)).toEqual({ kind: 'damaged' });
});

test('a frame that has no room for its stamp is refused', () => {
  expect(() => createFrameStamp(27)).toThrow(RangeError);
});
