import type { AudioSource } from './audio-source.ts';
import { sampleWindows } from './samples.ts';
import type { WavLayout } from './wav.ts';

/** Length in milliseconds of the slices whose loudness is measured. */
export const SLICE_MS = 20;
/** Loudness of digital silence in dBFS, in place of minus infinity. */
export const SILENCE_DBFS = -120;
/** Slices that are read at once: 8 s, which is 256 kB of two channels at 8 kHz. */
const WINDOW_SLICES = 400;
/** Above this correlation both channels carry the same mix (false stereo). */
const SAME_CHANNELS_FROM = 0.95;

/** Loudness in dBFS of every slice of every channel, and whether both channels are the same. 720,000 slices for 4 hours. */
export type Loudness = { readonly channels: readonly Float32Array[]; readonly isFalseStereo: boolean };

/** The first of the two passes over a recording: measures, keeps no audio. */
export async function measureLoudness(source: AudioSource, layout: WavLayout): Promise<Loudness> {
  const sliceFrames = framesPerSlice(layout);
  const slices = Math.ceil(layout.frames / sliceFrames);
  const channels = Array.from({ length: layout.channels }, () => new Float32Array(slices).fill(SILENCE_DBFS));
  const correlation = createCorrelation();
  const range = { from: 0, to: layout.frames, windowFrames: sliceFrames * WINDOW_SLICES };
  for await (const window of sampleWindows(source, layout, range)) {
    window.channels.forEach((samples, channel) => {
      for (let offset = 0; offset < samples.length; offset += sliceFrames) {
        const levels = channels[channel] ?? new Float32Array(0);
        levels[(window.start + offset) / sliceFrames] = loudnessOf(samples.subarray(offset, offset + sliceFrames));
      }
    });
    const [left, right] = window.channels;
    if (left !== undefined && right !== undefined) correlation.add(left, right);
  }
  return { channels, isFalseStereo: layout.channels === 2 && correlation.value() > SAME_CHANNELS_FROM };
}

/** Samples of one channel in a slice of {@link SLICE_MS}. */
export function framesPerSlice(layout: { readonly sampleRate: number }): number {
  return Math.round((layout.sampleRate * SLICE_MS) / 1_000);
}

/** Effective level of samples around their mean in dBFS: 0 is a square wave at full scale, {@link SILENCE_DBFS} is nothing. */
export function loudnessOf(samples: Int16Array): number {
  let sum = 0;
  let squares = 0;
  for (const sample of samples) {
    sum += sample;
    squares += sample * sample;
  }
  // A line with an offset from zero is silent all the same, so the mean does not count.
  const variance = samples.length === 0 ? 0 : squares / samples.length - (sum / samples.length) ** 2;
  return variance <= 0 ? SILENCE_DBFS : Math.max(SILENCE_DBFS, 10 * Math.log10(variance / 32_768 ** 2));
}

/** Pearson's correlation of two channels, fed window by window. A channel that never moves correlates with nothing. */
function createCorrelation() {
  const sum = { count: 0, left: 0, right: 0, leftLeft: 0, rightRight: 0, leftRight: 0 };
  return {
    add: (left: Int16Array, right: Int16Array): void => {
      sum.count += left.length;
      left.forEach((a, index) => {
        const b = right[index] ?? 0;
        sum.left += a;
        sum.right += b;
        sum.leftLeft += a * a;
        sum.rightRight += b * b;
        sum.leftRight += a * b;
      });
    },
    value: (): number => {
      if (sum.count === 0) return 0;
      const left = sum.leftLeft - sum.left ** 2 / sum.count;
      const right = sum.rightRight - sum.right ** 2 / sum.count;
      const both = sum.leftRight - (sum.left * sum.right) / sum.count;
      return left <= 0 || right <= 0 ? 0 : both / Math.sqrt(left * right);
    },
  };
}
