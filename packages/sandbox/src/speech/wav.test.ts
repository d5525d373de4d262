import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mulawDecode, mulawEncode } from './mulaw.ts';
import { readWav, writeWav } from './wav.ts';

const samples = fc.int16Array({ minLength: 1, maxLength: 200 });

describe('wav', () => {
  it('reads back what it wrote, channel by channel', () => {
    fc.assert(
      fc.property(samples, samples, fc.constantFrom(8_000, 16_000), (left, right, sampleRate) => {
        const frames = Math.max(left.length, right.length);
        const read = readWav(writeWav({ sampleRate, channels: [left, right] }));
        expect(read.sampleRate).toBe(sampleRate);
        expect(read.channels.map((channel) => channel.length)).toEqual([frames, frames]);
        expect(read.channels[0]?.subarray(0, left.length)).toEqual(left);
        expect(read.channels[1]?.subarray(0, right.length)).toEqual(right);
      }),
    );
  });

  it('passes over unknown chunks and reads to the end when the length is a streamed one', () => {
    const plain = writeWav({ sampleRate: 8_000, channels: [Int16Array.of(1, -2, 3)] });
    const extra = Buffer.from('LIST\x03\x00\x00\x00abc\x00', 'latin1');
    for (const length of [0, 0xffff_ffff, 6]) {
      const file = Buffer.concat([plain.subarray(0, 36), extra, plain.subarray(36)]);
      file.writeUInt32LE(length, 36 + extra.length + 4);
      expect([...(readWav(file).channels[0] ?? [])]).toEqual([1, -2, 3]);
    }
  });

  it('reads mu-law samples', () => {
    const file = writeWav({ sampleRate: 8_000, channels: [Int16Array.of(0)] });
    file.writeUInt16LE(7, 20);
    file.writeUInt16LE(8, 34);
    file.set([0x80, 0xff], 44);
    expect([...(readWav(file).channels[0] ?? [])]).toEqual([32_124, 0]);
  });

  it('throws a sentence on anything that is no such file, whatever its bytes', () => {
    const good = writeWav({ sampleRate: 8_000, channels: [Int16Array.of(1, 2, 3, 4)] });
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, byte, length) => {
        const file = Buffer.from(good.subarray(0, length));
        if (at < length) file[at] = byte;
        expect(complaintOf(file)).toMatch(/WAV file|^$/);
      }),
    );
    expect(() => readWav(Buffer.from('<html>not found</html>'))).toThrow('not a WAV file');
  });
});

describe('mu-law', () => {
  it('is a fixed point on every value it can say, and near on every other', () => {
    const values = mulawDecode(Uint8Array.from({ length: 256 }, (_, byte) => byte));
    expect(mulawDecode(mulawEncode(values))).toEqual(values);
    fc.assert(
      fc.property(fc.integer({ min: -32_124, max: 32_124 }), (sample) => {
        const [said] = mulawDecode(mulawEncode(Int16Array.of(sample)));
        expect(Math.abs((said ?? 0) - sample)).toBeLessThanOrEqual(Math.max(4, Math.abs(sample) / 16));
      }),
    );
  });

  it('says silence as 0xFF', () => {
    expect([...mulawEncode(Int16Array.of(0))]).toEqual([0xff]);
  });
});

function complaintOf(file: Buffer): string {
  try {
    readWav(file);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : 'no error';
  }
}
