import type { AudioSource } from './audio-source.ts';
import { createCorrelation } from './correlation.ts';
import { sampleWindows } from './samples.ts';
import { createToneDetector, SOUND } from './tonality.ts';
import type { WavLayout } from './wav.ts';

/** Length in milliseconds of the slices whose loudness is measured. */
export const SLICE_MS = 20;
/** Loudness of digital silence in dBFS, in place of minus infinity. */
export const SILENCE_DBFS = -120;
/** Nothing below this is speech, whatever the line's own noise: a silent channel makes models invent text. */
export const QUIETEST_SPEECH_DBFS = -50;
/** Slices that are read at once: 8 s, which is 256 kB of two channels at 8 kHz. */
const WINDOW_SLICES = 400;

/** Every slice of one channel: its loudness in dBFS, and its kind by `SOUND`. 720,000 slices for 4 hours. */
export type ChannelSound = { readonly levels: Float32Array; readonly sounds: Uint8Array };

/** What was measured. `correlation` is that of both channels, from -1 to 1; 0 when there is one. */
export type Measured = { readonly channels: readonly ChannelSound[]; readonly correlation: number };

/** The first of the two passes over a recording: measures, keeps no audio. */
export async function measure(source: AudioSource, layout: WavLayout, signal: AbortSignal): Promise<Measured> {
  const sliceFrames = framesPerSlice(layout);
  const slices = Math.ceil(layout.frames / sliceFrames);
  const channels = Array.from({ length: layout.channels }, () => ({
    levels: new Float32Array(slices).fill(SILENCE_DBFS),
    sounds: new Uint8Array(slices),
  }));
  const soundOf = createToneDetector(layout.sampleRate);
  const correlation = createCorrelation();
  const range = { from: 0, to: layout.frames, windowFrames: sliceFrames * WINDOW_SLICES };
  for await (const window of sampleWindows(source, layout, range)) {
    signal.throwIfAborted();
    channels.forEach(({ levels, sounds }, channel) => {
      const samples = window.channels[channel] ?? new Int16Array(0);
      for (let offset = 0; offset < samples.length; offset += sliceFrames) {
        const slice = samples.subarray(offset, offset + sliceFrames);
        const index = (window.start + offset) / sliceFrames;
        const level = loudnessOf(slice);
        levels[index] = level;
        sounds[index] = level > QUIETEST_SPEECH_DBFS ? soundOf(slice) : SOUND.other;
      }
    });
    const [left, right] = window.channels;
    if (left !== undefined && right !== undefined) correlation.add(left, right);
  }
  return { channels, correlation: correlation.value() };
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
