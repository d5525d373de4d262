/**
 * G.711 mu-law, as telephone networks carry it: 8 bits a sample, silence is 0xFF.
 * Source: ITU-T G.711, table 2a. The largest PCM16 value it can say is 32124.
 */

/** PCM16 samples to mu-law bytes, one byte a sample. */
export function mulawEncode(samples: Int16Array): Buffer {
  const bytes = Buffer.allocUnsafe(samples.length);
  for (let at = 0; at < samples.length; at += 1) bytes[at] = ENCODED[(samples[at] ?? 0) + 32_768] ?? 0xff;
  return bytes;
}

/** Mu-law bytes to PCM16 samples, one sample a byte. */
export function mulawDecode(bytes: Uint8Array): Int16Array {
  const samples = new Int16Array(bytes.length);
  for (let at = 0; at < bytes.length; at += 1) samples[at] = DECODED[bytes[at] ?? 0xff] ?? 0;
  return samples;
}

const BIAS = 0x84;
const CLIP = 32_635;
const DECODED = Int16Array.from({ length: 256 }, (_, byte) => decodeByte(byte));
const ENCODED = Uint8Array.from({ length: 65_536 }, (_, index) => encodeSample(index - 32_768));

function decodeByte(byte: number): number {
  const inverted = ~byte & 0xff;
  const exponent = (inverted >> 4) & 7;
  const magnitude = (((inverted & 0x0f) << 3) + BIAS) << exponent;
  return inverted & 0x80 ? BIAS - magnitude : magnitude - BIAS;
}

function encodeSample(sample: number): number {
  const biased = Math.min(Math.abs(sample), CLIP) + BIAS;
  const exponent = 24 - Math.clz32(biased);
  const mantissa = (biased >> (exponent + 3)) & 0x0f;
  return ~((sample < 0 ? 0x80 : 0) | (exponent << 4) | mantissa) & 0xff;
}
