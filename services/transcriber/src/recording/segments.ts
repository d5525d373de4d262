import type { Speaker } from '@pipeline/contracts';
import type { AudioSource } from './audio-source.ts';
import { measureLoudness } from './loudness.ts';
import { readChannel } from './samples.ts';
import { findSpeech, type Stretch } from './speech.ts';
import { readWavLayout, writeWav, type WavLayout } from './wav.ts';

/** Who is on which channel of a recording of two channels: the left one first. Configuration, as vendors disagree. */
export type ChannelMap = readonly [Speaker, Speaker];

/** Speech of one speaker that is transcribed by one request. Times in milliseconds from the start of its recording. */
export type SpeechSegment = Stretch & {
  readonly channel: number;
  readonly speaker: Speaker;
  /** The audio as a WAV file of one channel, with a little silence around the words. Read when asked for. */
  readonly audio: () => Promise<Uint8Array<ArrayBuffer>>;
};

/** Milliseconds of audio kept before speech, so that a soft first sound is not lost. */
const LEAD_MS = 200;
/** Milliseconds kept after speech: words end softer than they begin. */
const TAIL_MS = 400;

/**
 * Every stretch of speech of a recording, by speaker, in order of time. One channel, or twice the same, has speaker `unknown`.
 * A silent channel has none. Throws as {@link readWavLayout} does.
 */
export async function findSegments(source: AudioSource, channelMap: ChannelMap): Promise<SpeechSegment[]> {
  const layout = await readWavLayout(source);
  const loudness = await measureLoudness(source, layout);
  const isDual = layout.channels === 2 && !loudness.isFalseStereo;
  const channels = isDual ? loudness.channels : loudness.channels.slice(0, 1);
  return channels
    .flatMap((levels, channel) => {
      const speaker = isDual ? (channelMap[channel] ?? 'unknown') : 'unknown';
      return findSpeech(levels).map((stretch, index, all) => {
        const padded = withMargins(stretch, all[index - 1], all[index + 1]);
        return { ...stretch, channel, speaker, audio: () => cut(source, layout, channel, padded) };
      });
    })
    .toSorted((a, b) => a.startMs - b.startMs || a.channel - b.channel);
}

/** The stretch with its lead and tail, up to the speech beside it: no sound is sent twice. */
function withMargins(stretch: Stretch, before: Stretch | undefined, after: Stretch | undefined): Stretch {
  return {
    startMs: Math.max(0, before?.endMs ?? 0, stretch.startMs - LEAD_MS),
    endMs: Math.min(after?.startMs ?? Number.POSITIVE_INFINITY, stretch.endMs + TAIL_MS),
  };
}

async function cut(source: AudioSource, layout: WavLayout, channel: number, stretch: Stretch) {
  const frameAt = (ms: number) => Math.min(layout.frames, Math.round((ms * layout.sampleRate) / 1_000));
  const range = { from: frameAt(stretch.startMs), to: frameAt(stretch.endMs) };
  return writeWav(await readChannel(source, layout, channel, range), layout.sampleRate);
}
