import type { AudioSource } from './audio-source.ts';
import type { WavLayout } from './wav.ts';

/** A stretch of frames of every channel; `channels[0]` is the left one. `start` counts frames from the start of the file. */
export type SampleWindow = { readonly start: number; readonly channels: readonly Int16Array[] };

/**
 * Reads frames `[from, to)` in windows of `windowFrames`, each channel by itself. Stops early where the file does. The next window takes
 * the place of the one before it: a recording of hours would leave its whole size behind for the garbage collector.
 */
export async function* sampleWindows(
  source: AudioSource,
  layout: WavLayout,
  range: { readonly from: number; readonly to: number; readonly windowFrames: number },
): AsyncGenerator<SampleWindow> {
  const bytesPerFrame = 2 * layout.channels;
  const end = Math.min(range.to, layout.frames);
  const length = Math.max(0, Math.min(range.windowFrames, end - range.from));
  const into = new Uint8Array(length * bytesPerFrame);
  const channels = Array.from({ length: layout.channels }, () => new Int16Array(length));
  for (let start = Math.max(0, range.from); start < end; start += range.windowFrames) {
    const count = Math.min(range.windowFrames, end - start);
    const bytes = await source.read(layout.dataStart + start * bytesPerFrame, count * bytesPerFrame, into);
    if (bytes.length < bytesPerFrame) return;
    yield { start, channels: deinterleave(bytes, channels) };
  }
}

/** Interleaved little-endian 16 bit samples to one array a channel, the part that was filled; an incomplete last frame is dropped. */
function deinterleave(bytes: Uint8Array, channels: readonly Int16Array[]): Int16Array[] {
  const frames = Math.floor(bytes.length / (2 * channels.length));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return channels.map((samples, channel) => {
    for (let frame = 0; frame < frames; frame += 1) {
      samples[frame] = view.getInt16((frame * channels.length + channel) * 2, true);
    }
    return samples.subarray(0, frames);
  });
}
