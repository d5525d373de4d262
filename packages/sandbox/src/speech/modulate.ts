import { GAP_BITS, SYNC_BITS, SYNC_WORD, packetsOf } from './packet.ts';
import { BIT_SAMPLES, TONES } from './symbols.ts';

const GAP_SAMPLES = GAP_BITS * BIT_SAMPLES;

/**
 * Says a text: PCM16 at 8 kHz, about 1,000 bits a second, without silence before or after. A sentence lasts about a second,
 * 1,000 Hebrew characters about 16 s. The empty text is no sound at all. Throws RangeError above 64 KiB of UTF-8; half
 * surrogate pairs are said as U+FFFD.
 */
export function modulate(text: string): Int16Array {
  const packets = packetsOf(text).map(toneOf);
  const length = packets.reduce((sum, packet) => sum + packet.length, GAP_SAMPLES * Math.max(0, packets.length - 1));
  const samples = new Int16Array(length);
  let at = 0;
  for (const packet of packets) {
    samples.set(packet, at);
    at += packet.length + GAP_SAMPLES;
  }
  return samples;
}

function toneOf(packet: Uint8Array): Int16Array {
  const samples = new Int16Array((SYNC_BITS + packet.length * 8) * BIT_SAMPLES);
  let at = 0;
  const say = (word: number, bits: number): void => {
    for (let bit = bits - 1; bit >= 0; bit -= 1) {
      samples.set(TONES[(word >>> bit) & 1 ? 1 : 0], at);
      at += BIT_SAMPLES;
    }
  };
  say(SYNC_WORD, SYNC_BITS);
  for (const byte of packet) say(byte, 8);
  return samples;
}
