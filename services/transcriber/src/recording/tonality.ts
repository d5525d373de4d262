/** Order of the prediction: eight partials of a sound, which is more than keys of a telephone and most chords have. */
const ORDER = 16;
/** Rate in Hz at which sounds are compared. At a higher one speech is as predictable as a tone. */
const RATE = 8_000;
/** Above this a slice is a steady tone: speech stays below 23 dB, tones through mu-law above 30 dB. */
const STEADY_DB = 26;
/** Above this a slice may be a tone: most of music, a fifth of speech. */
const TONAL_DB = 18;

/** What kind of sound a slice is. */
export const SOUND = { other: 0, tonal: 1, steady: 2 } as const;

/**
 * Tells tones from other sounds by how well the next sample follows from those before it (Burg's linear prediction): a sum of
 * steady tones follows entirely, a voice changes too much. Works on slices of 20 ms at any rate; keeps its buffers.
 */
export function createToneDetector(sampleRate: number): (slice: Int16Array) => number {
  const step = Math.max(1, Math.round(sampleRate / RATE));
  const size = Math.ceil((sampleRate / 50 + step) / step);
  const forward = new Float64Array(size);
  const backward = new Float64Array(size);
  return (slice) => {
    const count = Math.min(size, Math.floor(slice.length / step));
    if (count < 4 * ORDER) return SOUND.other;
    reduce(slice, step, forward.subarray(0, count));
    backward.set(forward.subarray(0, count));
    const gain = predictionGain(forward.subarray(0, count), backward.subarray(0, count));
    if (gain >= STEADY_DB) return SOUND.steady;
    return gain >= TONAL_DB ? SOUND.tonal : SOUND.other;
  };
}

/** Every `step` samples become their mean, around the mean of all. */
function reduce(slice: Int16Array, step: number, into: Float64Array): void {
  let sum = 0;
  for (let index = 0; index < into.length; index += 1) {
    let mean = 0;
    for (let offset = 0; offset < step; offset += 1) mean += slice[index * step + offset] ?? 0;
    into[index] = mean / step;
    sum += mean / step;
  }
  for (let index = 0; index < into.length; index += 1) into[index] = (into[index] ?? 0) - sum / into.length;
}

/** Power of the samples over the power of what prediction leaves of them, in dB. Both arrays hold the samples and are used up. */
function predictionGain(forward: Float64Array, backward: Float64Array): number {
  let left = 1;
  for (let order = 1; order <= ORDER; order += 1) {
    const reflection = reflectionOf(forward, backward, order);
    for (let index = forward.length - 1; index >= order; index -= 1) {
      const ahead = forward[index] ?? 0;
      const behind = backward[index - 1] ?? 0;
      forward[index] = ahead - reflection * behind;
      backward[index] = behind - reflection * ahead;
    }
    left *= 1 - reflection * reflection;
    if (left < 1e-9) return 90;
  }
  return -10 * Math.log10(left);
}

function reflectionOf(forward: Float64Array, backward: Float64Array, order: number): number {
  let product = 0;
  let power = 0;
  for (let index = order; index < forward.length; index += 1) {
    const ahead = forward[index] ?? 0;
    const behind = backward[index - 1] ?? 0;
    product += ahead * behind;
    power += ahead * ahead + behind * behind;
  }
  return power === 0 ? 0 : (2 * product) / power;
}
