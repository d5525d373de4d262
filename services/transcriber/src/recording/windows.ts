import type { ChannelSurvey, SpokenStretch, Survey } from './survey.ts';
import type { Stretch } from './speech.ts';

/** How much one request carries: `segments` one stretch of speech, `channels` as much of one channel as a request may hold. */
export type TranscriptionMode = 'segments' | 'channels';

/**
 * What one request carries: parts of one channel, one after another. `startMs` and `endMs` are when its speech begins and ends,
 * `spokenMs` is how much of that is sound. Times in milliseconds from the start of its recording.
 */
export type SpeechWindow = Stretch & {
  readonly channel: number;
  readonly parts: readonly Stretch[];
  readonly spokenMs: number;
  readonly isTonal: boolean;
};

/** Requests are refused from 1,400 s of audio and from 25 MB on: these stay well below, whatever the rate. */
const LONGEST_WINDOW_MS = 1_200_000;
const LARGEST_WINDOW_BYTES = 24_000_000;

/** Requests of a whole channel that a process has open at once: a provider takes minutes for each, and counts them. */
const CHANNELS_AT_ONCE = 2;

/** How many requests may be open at once, of those that are configured. */
export function requestsAtOnce(mode: TranscriptionMode, configured: number): number {
  return mode === 'channels' ? Math.min(CHANNELS_AT_ONCE, configured) : configured;
}

/** The requests for a recording, in order of time. */
export function planWindows(survey: Survey, mode: TranscriptionMode): SpeechWindow[] {
  return survey.channels
    .flatMap((channel) => (mode === 'segments' ? oneEach(channel) : packed(channel, longestMs(survey))))
    .toSorted((a, b) => a.startMs - b.startMs || a.channel - b.channel);
}

function longestMs({ layout }: Survey): number {
  return Math.min(LONGEST_WINDOW_MS, Math.floor((LARGEST_WINDOW_BYTES / 2 / layout.sampleRate) * 1_000));
}

function oneEach({ channel, stretches }: ChannelSurvey): SpeechWindow[] {
  return stretches.map((stretch) => windowOf(channel, [stretch]));
}

/** Fills windows with stretches in order. The pauses between them are not sent: silence costs money and makes models invent text. */
function packed({ channel, stretches }: ChannelSurvey, longest: number): SpeechWindow[] {
  const windows: SpokenStretch[][] = [];
  let used = 0;
  for (const stretch of stretches) {
    const length = stretch.audio.endMs - stretch.audio.startMs;
    const last = windows.at(-1);
    if (last === undefined || used + length > longest) {
      windows.push([stretch]);
      used = length;
    } else {
      last.push(stretch);
      used += length;
    }
  }
  return windows.map((window) => windowOf(channel, window));
}

function windowOf(channel: number, stretches: readonly SpokenStretch[]): SpeechWindow {
  return {
    channel,
    startMs: stretches[0]?.startMs ?? 0,
    endMs: stretches.at(-1)?.endMs ?? 0,
    parts: stretches.map(({ audio }) => audio),
    spokenMs: stretches.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0),
    isTonal: stretches.every(({ kind }) => kind === 'tonal'),
  };
}
