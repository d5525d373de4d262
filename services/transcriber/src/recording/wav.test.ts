import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { writeWav } from '../fixtures.ts';
import { PermanentError, RetryLaterError } from '@pipeline/contracts';
import type { AudioSource } from './audio-source.ts';
import { readWavLayout } from './wav.ts';

function sourceOf(bytes: Uint8Array): AudioSource {
  return { size: bytes.length, read: async (position, length) => bytes.subarray(position, position + length) };
}

/** A WAV header with any values, and `present` bytes of audio behind it. */
function wavOf(header: {
  tag?: number;
  channels?: number;
  rate?: number;
  bits?: number;
  declared?: number;
  present?: number;
  before?: [id: string, size: number, bytes: number];
}): Buffer {
  const { tag = 1, channels = 2, rate = 8_000, bits = 16, present = 4_000 } = header;
  const fmt = Buffer.alloc(24);
  fmt.write('fmt ', 0, 'ascii');
  fmt.writeUInt32LE(16, 4);
  fmt.writeUInt16LE(tag, 8);
  fmt.writeUInt16LE(channels, 10);
  fmt.writeUInt32LE(rate, 12);
  fmt.writeUInt32LE((rate * channels * bits) / 8, 16);
  fmt.writeUInt16LE((channels * bits) / 8, 20);
  fmt.writeUInt16LE(bits, 22);
  const data = Buffer.alloc(8);
  data.write('data', 0, 'ascii');
  data.writeUInt32LE(header.declared ?? present, 4);
  const [id, size, length] = header.before ?? ['', 0, 0];
  const extra = id === '' ? Buffer.alloc(0) : Buffer.alloc(8 + length);
  if (id !== '') extra.write(id, 0, 'ascii');
  if (id !== '') extra.writeUInt32LE(size, 4);
  return Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE', 'ascii'), fmt, extra, data, Buffer.alloc(present, 1)]);
}

async function codeOf(bytes: Uint8Array): Promise<string> {
  const failure: unknown = await readWavLayout(sourceOf(bytes)).catch((error: unknown) => error);
  if (failure instanceof PermanentError) return failure.code;
  if (failure instanceof RetryLaterError) return `again until ${failure.deadline}, then ${failure.code}`;
  return 'read';
}

describe('the layout of a WAV file', () => {
  test('is where the samples are, with other chunks before them, odd ones padded', async () => {
    await expect(readWavLayout(sourceOf(wavOf({})))).resolves.toEqual({
      channels: 2,
      sampleRate: 8_000,
      dataStart: 44,
      frames: 1_000,
    });
    await expect(readWavLayout(sourceOf(wavOf({ before: ['LIST', 25, 26] })))).resolves.toMatchObject({
      dataStart: 44 + 8 + 26,
      frames: 1_000,
    });
  });

  test.each([0, 0xffff_ffff, 0x7fff_ffff])(
    'goes to the end of the file when the declared length is %i',
    async (declared) => {
      await expect(readWavLayout(sourceOf(wavOf({ declared })))).resolves.toMatchObject({ frames: 1_000 });
    },
  );

  test('of a header without audio has no frames', async () => {
    await expect(readWavLayout(sourceOf(wavOf({ present: 0 })))).resolves.toMatchObject({ frames: 0 });
  });

  test('ends at the last whole frame', async () => {
    await expect(readWavLayout(sourceOf(wavOf({ present: 4_003 })))).resolves.toMatchObject({ frames: 1_000 });
  });

  test('is understood in the extensible form too', async () => {
    const guid = Buffer.from('0100000000001000800000aa00389b71', 'hex');
    const fmt = wavOf({ tag: 0xfffe, channels: 1 }).subarray(12, 36);
    fmt.writeUInt32LE(40, 4);
    const extension = Buffer.concat([Buffer.from('1600100004000000', 'hex'), guid]);
    const file = Buffer.concat([wavOf({}).subarray(0, 12), fmt, extension, wavOf({}).subarray(36)]);
    await expect(readWavLayout(sourceOf(file))).resolves.toMatchObject({ channels: 1, frames: 2_000 });
  });

  test.each([
    ['B79 no bytes', Buffer.alloc(0)],
    ['B82 an MP3', Buffer.from('ID3\x04\0\0\0\0\0\0 and so on, named .wav', 'latin1')],
    ['B82 an error page', Buffer.from('<html><body>Bad Gateway</body></html>')],
    ['B81 zero channels', wavOf({ channels: 0 })],
    ['B81 a rate of zero', wavOf({ rate: 0 })],
    ['B85 8 bits', wavOf({ bits: 8 })],
    ['B85 96 kHz', wavOf({ rate: 96_000 })],
    ['B85 8 channels', wavOf({ channels: 8 })],
    ['mu-law', wavOf({ tag: 7 })],
    ['a chunk that is longer than the file', wavOf({ before: ['junk', 0xffff_fff0, 4] })],
    ['data before its format', Buffer.concat([wavOf({}).subarray(0, 12), wavOf({}).subarray(36)])],
    ['a header that ends in its middle', wavOf({}).subarray(0, 30)],
  ])('%s is AUDIO_UNREADABLE', async (_name, bytes) => {
    await expect(codeOf(bytes)).resolves.toBe('AUDIO_UNREADABLE');
  });

  test('F55 a file that ends before its length is downloaded again, for a while', async () => {
    await expect(codeOf(wavOf({ declared: 8_000 }))).resolves.toBe('again until recording, then AUDIO_UNREADABLE');
  });

  test('is never a crash, whatever the bytes', async () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.uint8Array({ maxLength: 200 }).map((tail) => Buffer.concat([Buffer.from('RIFF....WAVEfmt '), tail])),
      fc.tuple(fc.nat(100), fc.nat(255)).map(([at, value]) => Buffer.from(wavOf({}).fill(value, at, at + 1))),
    );
    await fc.assert(
      fc.asyncProperty(hostile, async (bytes) => {
        const layout = await readWavLayout(sourceOf(bytes)).catch((error: unknown) => error);
        if (layout instanceof PermanentError || layout instanceof RetryLaterError) return;
        expect(layout).toMatchObject({ sampleRate: expect.any(Number) });
        const { dataStart, frames, channels } = layout as { dataStart: number; frames: number; channels: number };
        expect(dataStart + frames * channels * 2).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });

  test('of what we write ourselves is what we wrote', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.int16Array({ maxLength: 500 }),
        fc.constantFrom(8_000, 16_000, 48_000),
        async (samples, rate) => {
          const file = writeWav(samples, rate);
          const layout = await readWavLayout(sourceOf(file));
          expect(layout).toEqual({ channels: 1, sampleRate: rate, dataStart: 44, frames: samples.length });
          expect(new Int16Array(file.buffer.slice(44))).toEqual(samples);
        },
      ),
    );
  });
});
