import { badRequest } from '../api-error.ts';
import { demodulate } from '../../speech/demodulate.ts';
import { SAMPLE_RATE } from '../../speech/symbols.ts';
import { readWav, type Wav } from '../../speech/wav.ts';

/** What was heard in a file. `seconds` by its own header. Language codes are those of the writing. */
export type Heard = {
  readonly text: string;
  readonly languages: readonly string[];
  readonly seconds: number;
  readonly segments: readonly { readonly start: number; readonly end: number; readonly text: string }[];
};

/** What recognizers that were taught with subtitles hear in silence. */
const INVENTED = 'Thank you for watching!';
const MIN_SECONDS = 0.1;

/**
 * Recognizes the speech in a WAV file. Its header is believed: at another rate than 8 kHz, samples are dropped or repeated, so
 * a header that lies leaves nothing to understand. Several channels are heard together. Silence is heard as words that nobody
 * said. Throws the 400 of a file that cannot be read or is too short.
 */
export function hear(file: Uint8Array): Heard {
  const wav = read(file);
  const seconds = (wav.channels[0]?.length ?? 0) / wav.sampleRate;
  if (seconds < MIN_SECONDS) {
    throw badRequest(
      `Audio file is too short. Minimum audio length is ${MIN_SECONDS} seconds.`,
      'file',
      'audio_too_short',
    );
  }
  const segments = demodulate(atSandboxRate(mixed(wav.channels), wav.sampleRate)).map((utterance) => ({
    start: utterance.startMs / 1_000,
    end: utterance.endMs / 1_000,
    text: utterance.text,
  }));
  if (segments.length === 0) segments.push({ start: 0, end: seconds, text: INVENTED });
  const text = segments.map((segment) => segment.text).join(' ');
  return { text, languages: languagesOf(text), seconds, segments };
}

function read(file: Uint8Array): Wav {
  try {
    return readWav(file);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unknown';
    throw badRequest(
      `The audio file could not be decoded or its format is not supported: ${reason}.`,
      'file',
      'invalid_value',
    );
  }
}

function mixed(channels: readonly Int16Array[]): Int16Array {
  const [first = new Int16Array(0), ...others] = channels;
  if (others.length === 0) return first;
  return first.map((sample, at) => clamp(others.reduce((sum, channel) => sum + (channel[at] ?? 0), sample)));
}

function clamp(sample: number): number {
  return Math.max(-32_768, Math.min(32_767, sample));
}

function atSandboxRate(samples: Int16Array, rate: number): Int16Array {
  if (rate === SAMPLE_RATE) return samples;
  const length = Math.floor((samples.length * SAMPLE_RATE) / rate);
  const converted = new Int16Array(length);
  for (let at = 0; at < length; at += 1) converted[at] = samples[Math.floor((at * rate) / SAMPLE_RATE)] ?? 0;
  return converted;
}

function languagesOf(text: string): string[] {
  const scripts = [
    ['he', /\p{Script=Hebrew}/u],
    ['ar', /\p{Script=Arabic}/u],
    ['ru', /\p{Script=Cyrillic}/u],
  ] as const;
  const found = scripts.filter(([, script]) => script.test(text)).map(([code]) => code);
  return found.length === 0 && /\p{Script=Latin}/u.test(text) ? ['en'] : found;
}
