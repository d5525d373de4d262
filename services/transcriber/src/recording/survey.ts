import type { AudioSource } from './audio-source.ts';
import { measure, type ChannelSound } from './loudness.ts';
import { findSpeech, soundKind, speechThreshold, type SoundKind, type Stretch } from './speech.ts';
import { readWavLayout, type WavLayout } from './wav.ts';

/** A stretch of speech and the part of the recording to send for it, with a little of what is around the words. */
export type SpokenStretch = Stretch & { readonly kind: Exclude<SoundKind, 'tones'>; readonly audio: Stretch };

/** Who speaks when on one channel; `tones` counts stretches that are keys of a telephone or other steady tones. */
export type ChannelSurvey = {
  readonly channel: number;
  readonly stretches: readonly SpokenStretch[];
  readonly tones: number;
};

/**
 * What there is to hear in a recording. `isDual`: each channel is one side of the call. One channel, or twice the same, is not, and has
 * one channel here. Plain values: they cross from a thread to another.
 */
export type Survey = {
  readonly layout: WavLayout;
  readonly isDual: boolean;
  readonly channels: readonly ChannelSurvey[];
};

/** Milliseconds of audio kept before speech, so that a soft first sound is not lost. */
const LEAD_MS = 200;
/** Milliseconds kept after speech: words end softer than they begin. */
const TAIL_MS = 400;
/** Above this correlation both channels carry the same mix (false stereo). */
const SAME_CHANNELS_FROM = 0.95;

/**
 * Finds every stretch of speech of every channel. A channel on which nobody speaks has none; it may hold the other side's echo, so
 * channels are the same only when both hold speech. Throws as {@link readWavLayout} does.
 */
export async function surveyRecording(source: AudioSource, signal: AbortSignal): Promise<Survey> {
  const layout = await readWavLayout(source);
  const { channels, correlation } = await measure(source, layout, signal);
  const surveyed = channels.map(surveyChannel);
  const areBothHeard = surveyed.every(({ stretches, tones }) => stretches.length + tones > 0);
  const isDual = layout.channels === 2 && !(areBothHeard && correlation > SAME_CHANNELS_FROM);
  return { layout, isDual, channels: isDual ? surveyed : surveyed.slice(0, 1) };
}

function surveyChannel(sound: ChannelSound, channel: number): ChannelSurvey {
  const threshold = speechThreshold(sound.levels);
  const found = findSpeech(sound.levels, threshold);
  const kinds = found.map((stretch) => soundKind(sound, stretch, threshold));
  const stretches = found.flatMap((stretch, index) => {
    const kind = kinds[index] ?? 'speech';
    if (kind === 'tones') return [];
    return [{ ...stretch, kind, audio: withMargins(stretch, found[index - 1], found[index + 1]) }];
  });
  return { channel, stretches, tones: found.length - stretches.length };
}

/** The stretch with its lead and tail, up to the speech beside it: no sound is sent twice. */
function withMargins(stretch: Stretch, before: Stretch | undefined, after: Stretch | undefined): Stretch {
  return {
    startMs: Math.max(0, before?.endMs ?? 0, stretch.startMs - LEAD_MS),
    endMs: Math.min(after?.startMs ?? Number.POSITIVE_INFINITY, stretch.endMs + TAIL_MS),
  };
}
