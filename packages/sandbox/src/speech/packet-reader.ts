import {
  HEADER_BYTES,
  MAX_PAYLOAD_BYTES,
  SYNC_BITS,
  SYNC_WORD,
  packetLength,
  readPacket,
  type Packet,
} from './packet.ts';
import { BIT_SAMPLES, TONES } from './symbols.ts';

/** A packet with its place: `samples` from its first to its last, and whether each of them is what `modulate` makes. */
export type HeardPacket = Packet & { readonly samples: number; readonly exact: boolean };

const SYNC_SAMPLES = SYNC_BITS * BIT_SAMPLES;
const HEADER_END = SYNC_SAMPLES + HEADER_BYTES * 8 * BIT_SAMPLES;
const CAPACITY = HEADER_END + (MAX_PAYLOAD_BYTES + 4) * 8 * BIT_SAMPLES;
const SYNC_TONE = Int16Array.from({ length: SYNC_SAMPLES }, (_, at) => {
  const bit = (SYNC_WORD >>> (SYNC_BITS - 1 - Math.floor(at / BIT_SAMPLES))) & 1;
  return TONES[bit === 1 ? 1 : 0][at % BIT_SAMPLES] ?? 0;
});
const COSINE = Float64Array.from({ length: BIT_SAMPLES }, (_, at) => Math.cos((2 * Math.PI * at) / BIT_SAMPLES));
const SINE = Float64Array.from({ length: BIT_SAMPLES }, (_, at) => Math.sin((2 * Math.PI * at) / BIT_SAMPLES));

/**
 * Finds packets in a stream of samples, one sample at a time.
 *
 * Invariants: while seeking, `kept` ends with the newest sample and holds at least a sync word and eight samples more (once so
 * many came); while reading, it starts with the first sample of the packet. It never grows beyond one packet.
 */
export class PacketReader {
  readonly #kept = new Int16Array(CAPACITY);
  #length = 0;
  /** Samples of the packet that is being read; 0 while seeking. */
  #wanted = 0;
  /** The best place so far where a sync word may end, as a length of `kept`, and how well it fits. */
  #candidate = { end: 0, firstEnd: 0, fit: 0 };
  /** The last 32 bits at each of the eight places that a bit may start. */
  readonly #bits = new Int32Array(BIT_SAMPLES);
  /** Sliding Fourier sums of the last eight samples at 1 kHz and 2 kHz. */
  #low = { re: 0, im: 0 };
  #high = { re: 0, im: 0 };
  #phase = 0;

  /** Forgets everything: a new utterance begins. */
  reset(): void {
    this.#length = 0;
    this.#wanted = 0;
    this.#candidate = { end: 0, firstEnd: 0, fit: 0 };
    this.#bits.fill(0);
    this.#low = { re: 0, im: 0 };
    this.#high = { re: 0, im: 0 };
    this.#phase = 0;
  }

  /** True from the sync word of a packet to its end. */
  get isReading(): boolean {
    return this.#wanted > 0;
  }

  /** Takes one sample; returns the packet that it completes. */
  push(sample: number): HeardPacket | undefined {
    if (this.#length === CAPACITY) this.#compact();
    this.#kept[this.#length] = sample;
    this.#length += 1;
    if (this.#wanted === 0) {
      this.#search(sample);
      return undefined;
    }
    return this.#length >= this.#wanted ? this.#complete() : undefined;
  }

  #compact(): void {
    const keep = SYNC_SAMPLES + 2 * BIT_SAMPLES;
    const shift = this.#length - keep;
    this.#kept.copyWithin(0, shift, this.#length);
    this.#length = keep;
    this.#candidate.end -= shift;
    this.#candidate.firstEnd -= shift;
  }

  #search(sample: number): void {
    const phase = this.#phase;
    this.#phase = (phase + 1) & (BIT_SAMPLES - 1);
    const change = sample - (this.#length > BIT_SAMPLES ? (this.#kept[this.#length - 1 - BIT_SAMPLES] ?? 0) : 0);
    const low = this.#low;
    const high = this.#high;
    const twice = (2 * phase) & (BIT_SAMPLES - 1);
    low.re += change * (COSINE[phase] ?? 0);
    low.im += change * (SINE[phase] ?? 0);
    high.re += change * (COSINE[twice] ?? 0);
    high.im += change * (SINE[twice] ?? 0);
    const isOne = high.re * high.re + high.im * high.im > low.re * low.re + low.im * low.im;
    const bits = ((this.#bits[phase] ?? 0) << 1) | (isOne ? 1 : 0);
    this.#bits[phase] = bits;
    if (bits === SYNC_WORD && this.#length >= SYNC_SAMPLES) this.#consider();
    const { end, firstEnd } = this.#candidate;
    if (end > 0 && this.#length - firstEnd === BIT_SAMPLES - 1) this.#lock(end);
  }

  /** A sync word seems to end here. Neighbours seem so too: the one that fits best is the true one. */
  #consider(): void {
    let fit = 0;
    const from = this.#length - SYNC_SAMPLES;
    for (let at = 0; at < SYNC_SAMPLES; at += 1) fit += (this.#kept[from + at] ?? 0) * (SYNC_TONE[at] ?? 0);
    const { end, firstEnd } = this.#candidate;
    if (end > 0 && fit <= this.#candidate.fit) return;
    this.#candidate = { end: this.#length, firstEnd: end > 0 ? firstEnd : this.#length, fit };
  }

  #lock(end: number): void {
    const start = end - SYNC_SAMPLES;
    this.#kept.copyWithin(0, start, this.#length);
    this.#length -= start;
    this.#wanted = HEADER_END;
  }

  #complete(): HeardPacket | undefined {
    if (this.#wanted === HEADER_END) {
      const length = packetLength(this.#readBytes(HEADER_BYTES));
      if (length === undefined) this.reset();
      else this.#wanted = SYNC_SAMPLES + length * 8 * BIT_SAMPLES;
      return undefined;
    }
    const samples = this.#wanted;
    const packet = readPacket(this.#readBytes((samples - SYNC_SAMPLES) / (8 * BIT_SAMPLES)));
    const exact = this.#isExact(samples);
    this.reset();
    return { ...packet, samples, exact };
  }

  #readBytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let bit = 0; bit < count * 8; bit += 1) {
      const value = this.#bitAt(SYNC_SAMPLES + bit * BIT_SAMPLES);
      bytes[bit >> 3] = ((bytes[bit >> 3] ?? 0) << 1) | value;
    }
    return bytes;
  }

  #bitAt(from: number): 0 | 1 {
    let balance = 0;
    for (let at = 0; at < BIT_SAMPLES; at += 1) {
      balance += (this.#kept[from + at] ?? 0) * ((TONES[1][at] ?? 0) - (TONES[0][at] ?? 0));
    }
    return balance > 0 ? 1 : 0;
  }

  #isExact(samples: number): boolean {
    for (let from = 0; from < samples; from += BIT_SAMPLES) {
      const isSync = from < SYNC_SAMPLES;
      const tone = TONES[this.#bitAt(from)];
      for (let at = 0; at < BIT_SAMPLES; at += 1) {
        const expected = isSync ? SYNC_TONE[from + at] : tone[at];
        if (this.#kept[from + at] !== expected) return false;
      }
    }
    return true;
  }
}
