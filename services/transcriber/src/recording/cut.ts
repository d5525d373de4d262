import type { AudioSource } from './audio-source.ts';
import { readChannel } from './samples.ts';
import type { Stretch } from './speech.ts';
import { createWav, type WavLayout } from './wav.ts';

/** Parts of one channel to cut out. */
export type Cut = { readonly channel: number; readonly parts: readonly Stretch[] };

/** Speech-to-text refuses audio below 0.1 s; a shorter cut is followed by silence. */
const SHORTEST_MS = 300;
/** Frames that are read at once: 30 s at 8 kHz. */
const READ_FRAMES = 240_000;

/** The parts one after another as a WAV file of one channel: the second pass over a recording. */
export async function cutAudio(
  source: AudioSource,
  layout: WavLayout,
  cut: Cut,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const frameAt = (ms: number) => Math.min(layout.frames, Math.round((ms * layout.sampleRate) / 1_000));
  const ranges = cut.parts.map(({ startMs, endMs }) => ({ from: frameAt(startMs), to: frameAt(endMs) }));
  const frames = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  const wav = createWav(Math.max(frames, frameAtLeast(layout.sampleRate)), layout.sampleRate);
  for (const { from, to } of ranges) {
    for (let start = from; start < to; start += READ_FRAMES) {
      signal.throwIfAborted();
      wav.add(await readChannel(source, layout, cut.channel, { from: start, to: Math.min(to, start + READ_FRAMES) }));
    }
  }
  return wav.bytes;
}

function frameAtLeast(sampleRate: number): number {
  return Math.ceil((SHORTEST_MS * sampleRate) / 1_000);
}
