import { mulawDecode } from './mulaw.ts';

/** Audio of a WAV file: one array of PCM16 samples a channel, all of one length, at the rate that the header names. */
export type Wav = { readonly sampleRate: number; readonly channels: readonly Int16Array[] };

const HEADER_BYTES = 44;
const PCM = 1;
const MULAW = 7;
const MAX_CHANNELS = 8;

/** A PCM16 WAV file, channels interleaved; a shorter channel is filled with silence. */
export function writeWav(wav: Wav): Buffer {
  const count = wav.channels.length;
  const frames = Math.max(0, ...wav.channels.map((channel) => channel.length));
  const file = Buffer.alloc(HEADER_BYTES + frames * count * 2);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(PCM, 20);
  file.writeUInt16LE(count, 22);
  file.writeUInt32LE(wav.sampleRate, 24);
  file.writeUInt32LE(wav.sampleRate * count * 2, 28);
  file.writeUInt16LE(count * 2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(frames * count * 2, 40);
  let at = HEADER_BYTES;
  for (let frame = 0; frame < frames; frame += 1) {
    for (const channel of wav.channels) at = file.writeInt16LE(channel[frame] ?? 0, at);
  }
  return file;
}

/**
 * Reads a WAV file of PCM16 or mu-law samples, chunk by chunk: unknown chunks are passed over, and a length of 0 or more than
 * there is (a file that was streamed) means to the end. Throws an Error that says what is wrong with any other file.
 */
export function readWav(file: Uint8Array): Wav {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.length < 12 || bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') {
    throw new Error('not a WAV file');
  }
  let format: Format | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const name = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    const body = bytes.subarray(at + 8, Math.min(at + 8 + size, bytes.length));
    if (name === 'fmt ') format = readFormat(body);
    if (name === 'data') {
      if (format === undefined) throw new Error('a WAV file without a format');
      return { sampleRate: format.sampleRate, channels: split(size === 0 ? bytes.subarray(at + 8) : body, format) };
    }
    at += 8 + size + (size % 2);
  }
  throw new Error('a WAV file without samples');
}

type Format = { readonly encoding: number; readonly channels: number; readonly sampleRate: number };

function readFormat(body: Buffer): Format {
  if (body.length < 16) throw new Error('a WAV file with a format chunk that is too short');
  const format = { encoding: body.readUInt16LE(0), channels: body.readUInt16LE(2), sampleRate: body.readUInt32LE(4) };
  const bits = body.readUInt16LE(14);
  const isKnown = (format.encoding === PCM && bits === 16) || (format.encoding === MULAW && bits === 8);
  if (!isKnown) throw new Error(`a WAV file in format ${format.encoding} with ${bits} bits`);
  if (format.channels < 1 || format.channels > MAX_CHANNELS)
    throw new Error(`a WAV file of ${format.channels} channels`);
  if (format.sampleRate < 1) throw new Error('a WAV file without a sample rate');
  return format;
}

function split(body: Buffer, { encoding, channels: count }: Format): Int16Array[] {
  const samples = encoding === MULAW ? mulawDecode(body) : pcm16(body);
  const frames = Math.floor(samples.length / count);
  const channels = Array.from({ length: count }, () => new Int16Array(frames));
  for (const [index, channel] of channels.entries()) {
    for (let frame = 0; frame < frames; frame += 1) channel[frame] = samples[frame * count + index] ?? 0;
  }
  return channels;
}

function pcm16(body: Buffer): Int16Array {
  const samples = new Int16Array(Math.floor(body.length / 2));
  for (let at = 0; at < samples.length; at += 1) samples[at] = body.readInt16LE(at * 2);
  return samples;
}
