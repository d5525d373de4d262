import { PermanentError, RetryLaterError } from '@pipeline/contracts/failures';
import type { AudioSource } from './audio-source.ts';

/** Where the samples of a WAV file are: PCM16 little endian, interleaved. `frames` counts samples of one channel. */
export type WavLayout = {
  readonly channels: 1 | 2;
  readonly sampleRate: number;
  readonly dataStart: number;
  readonly frames: number;
};

/** Rates in Hz that telephone and studio equipment really uses; anything else is a damaged or hostile header. */
const SAMPLE_RATES = new Set([8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000]);
/** A chunk is a header of 8 bytes; a file of ours has five at most, so more than this is no recording. */
const MAX_CHUNKS = 64;
/** Writers that stream put 0, 0xFFFFFFFF or a value just below 2 GiB where they do not know the length yet. */
const UNKNOWN_SIZE_FROM = 0x7fff_0000;
const PCM = 1;
const EXTENSIBLE = 0xfffe;

/**
 * Walks the chunks of a RIFF file to its samples. Throws PermanentError `AUDIO_UNREADABLE` for what is not 16 bit PCM WAV of one
 * or two channels, and RetryLaterError when the file ends before the length that its header promises: a cut download.
 */
export async function readWavLayout(source: AudioSource): Promise<WavLayout> {
  const riff = view(await source.read(0, 12));
  if (riff.byteLength < 12 || text(riff, 0) !== 'RIFF' || text(riff, 8) !== 'WAVE')
    throw unreadable('no RIFF/WAVE header');
  let format: WavFormat | undefined;
  let position = 12;
  for (let chunk = 0; chunk < MAX_CHUNKS && position + 8 <= source.size; chunk += 1) {
    const header = view(await source.read(position, 8));
    const id = text(header, 0);
    const size = header.getUint32(4, true);
    if (id === 'data') {
      if (format === undefined) throw unreadable('data before fmt');
      return layoutOf(format, position + 8, size, source.size);
    }
    if (id === 'fmt ') format = readFormat(view(await source.read(position + 8, Math.min(size, 40))));
    position += 8 + size + (size % 2);
  }
  throw unreadable('no data chunk');
}

/** What stands before `frames` samples of one channel in a WAV file, as speech-to-text takes it. */
export function wavHeader(frames: number, sampleRate: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(44);
  const file = new DataView(bytes.buffer);
  const ascii = (position: number, word: string) => bytes.set(new TextEncoder().encode(word), position);
  ascii(0, 'RIFF');
  file.setUint32(4, 36 + frames * 2, true);
  ascii(8, 'WAVEfmt ');
  file.setUint32(16, 16, true);
  file.setUint16(20, PCM, true);
  file.setUint16(22, 1, true);
  file.setUint32(24, sampleRate, true);
  file.setUint32(28, sampleRate * 2, true);
  file.setUint16(32, 2, true);
  file.setUint16(34, 16, true);
  ascii(36, 'data');
  file.setUint32(40, frames * 2, true);
  return bytes;
}

type WavFormat = { readonly channels: 1 | 2; readonly sampleRate: number };

function readFormat(chunk: DataView): WavFormat {
  if (chunk.byteLength < 16) throw unreadable('fmt chunk too short');
  const tag = chunk.getUint16(0, true);
  // WAVE_FORMAT_EXTENSIBLE keeps the real format in the first two bytes of a GUID at offset 24.
  const encoding = tag === EXTENSIBLE && chunk.byteLength >= 26 ? chunk.getUint16(24, true) : tag;
  const channels = chunk.getUint16(2, true);
  const sampleRate = chunk.getUint32(4, true);
  const bits = chunk.getUint16(14, true);
  if (encoding !== PCM || bits !== 16) throw unreadable(`encoding ${encoding} with ${bits} bits`);
  if (channels !== 1 && channels !== 2) throw unreadable(`${channels} channels`);
  if (!SAMPLE_RATES.has(sampleRate)) throw unreadable(`${sampleRate} Hz`);
  return { channels, sampleRate };
}

function layoutOf(format: WavFormat, dataStart: number, declared: number, fileSize: number): WavLayout {
  const present = fileSize - dataStart;
  const unknown = declared === 0 || declared >= UNKNOWN_SIZE_FROM;
  if (!unknown && declared > present) {
    throw new RetryLaterError('the recording ends before its length', {
      deadline: 'recording',
      code: 'AUDIO_UNREADABLE',
    });
  }
  const bytes = unknown ? present : declared;
  return { ...format, dataStart, frames: Math.floor(bytes / (2 * format.channels)) };
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function text(chunk: DataView, position: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((offset) => chunk.getUint8(position + offset)));
}

function unreadable(reason: string): PermanentError {
  return new PermanentError('AUDIO_UNREADABLE', { message: `not a WAV file that we read: ${reason}` });
}
