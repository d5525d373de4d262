import { mulawDecode, mulawEncode } from './mulaw.ts';

/** Samples a second of all sandbox speech: the rate of telephone networks. */
export const SAMPLE_RATE = 8_000;
/** Samples of one bit: 1,000 bits a second. */
export const BIT_SAMPLES = 8;

/** Peak of a tone: -15 dBFS as an average, far above any gate that tells speech from silence. */
const AMPLITUDE = 8_240;

/**
 * The two tones of the modem, one period of the symbol each: 1 kHz says 0 and 2 kHz says 1. They are orthogonal over a symbol.
 *
 * Every sample is a value that mu-law can say exactly, so that speech crosses any number of mu-law conversions unchanged, and
 * none is 0, so that a receiver can account for each sample that is not silence. Both are what makes one flipped bit visible.
 */
export const TONES: readonly [Int16Array, Int16Array] = [tone(1), tone(2)];

function tone(cyclesPerBit: number): Int16Array {
  const wave = Int16Array.from({ length: BIT_SAMPLES }, (_, at) =>
    Math.round(AMPLITUDE * Math.sin((2 * Math.PI * cyclesPerBit * (at + 0.5)) / BIT_SAMPLES)),
  );
  return mulawDecode(mulawEncode(wave));
}
