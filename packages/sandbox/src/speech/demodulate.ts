import { GAP_BITS } from './packet.ts';
import { PacketReader, type HeardPacket } from './packet-reader.ts';
import { BIT_SAMPLES, SAMPLE_RATE } from './symbols.ts';

/**
 * One stretch of speech. Times in milliseconds of audio from the first sample. `intact` means that every sample of it arrived
 * exactly as it was said and in order; a text that is not intact always contains U+FFFD, so it never equals what was said.
 */
export type Utterance = {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly intact: boolean;
};

/** A streaming receiver. Its clock is the audio alone. */
export type Demodulator = {
  /** Takes the next samples; returns the utterances that end in them, each as soon as its last packet is read. */
  push(samples: Int16Array): Utterance[];
  /** The audio ends here: what was being said ends with it. The receiver can be used on. */
  flush(): Utterance[];
  /** Where the speech that has not ended yet began, in milliseconds; null in silence. Known 20 ms into the speech. */
  readonly speakingSinceMs: number | null;
  /** Milliseconds of audio taken so far. */
  readonly positionMs: number;
};

/** Everything said in 8 kHz PCM16 samples, in order. */
export function demodulate(samples: Int16Array): Utterance[] {
  const demodulator = createDemodulator();
  return [...demodulator.push(samples), ...demodulator.flush()];
}

/**
 * Makes a receiver for one channel of 8 kHz audio. An utterance that breaks off ends after `silenceMs` of silence (300 unless
 * told). Memory is bounded by one packet and the text of one utterance.
 */
export function createDemodulator(options: { readonly silenceMs?: number } = {}): Demodulator {
  const silenceSamples = Math.round(((options.silenceMs ?? 300) * SAMPLE_RATE) / 1_000);
  const reader = new PacketReader();
  let position = 0;
  let speech: Speech | null = null;
  let ended: Utterance[] = [];

  const end = (current: Speech): void => {
    if (current.loud >= MIN_LOUD_SAMPLES) ended.push(utteranceOf(current));
    speech = null;
  };
  const take = (sample: number): void => {
    const isLoud = sample > LOUD || sample < -LOUD;
    if (speech === null) {
      if (!isLoud) return;
      speech = { start: position, lastLoud: position, loud: 0, pending: 0, strange: 0, packets: [] };
      reader.reset();
    }
    if (sample !== 0) speech.pending += 1;
    if (isLoud) {
      speech.loud += 1;
      speech.lastLoud = position;
      speech.strange += speech.pending;
      speech.pending = 0;
    } else if (position - speech.lastLoud > silenceSamples) {
      end(speech);
      return;
    }
    const packet = reader.push(sample);
    if (packet === undefined) return;
    speech.strange -= packet.samples;
    speech.packets.push({ ...packet, end: position + 1 });
    if (packet.last || speech.packets.length >= MAX_PACKETS) end(speech);
  };

  return {
    push: (samples) => {
      ended = [];
      for (let at = 0; at < samples.length; at += 1) {
        take(samples[at] ?? 0);
        position += 1;
      }
      return ended;
    },
    flush: () => {
      ended = [];
      if (speech !== null) end(speech);
      return ended;
    },
    get speakingSinceMs() {
      return speech !== null && speech.loud >= MIN_LOUD_SAMPLES ? toMs(speech.start) : null;
    },
    get positionMs() {
      return toMs(position);
    },
  };
}

/** A sample beyond this is no background noise: -36 dBFS. Every sample of a tone is. */
const LOUD = 512;
/** Fewer loud samples than this (20 ms) are a click, not speech. */
const MIN_LOUD_SAMPLES = 160;
/** More packets than the longest text has. */
const MAX_PACKETS = 512;
const GAP_SAMPLES = GAP_BITS * BIT_SAMPLES;
const BROKEN = '\uFFFD';

/**
 * Speech being heard; places count samples. `strange` is the number of samples that were not silent and belong to no packet:
 * 0 in the end if everything was understood. `pending` are those since the last loud one, which may be noise after the speech.
 */
type Speech = {
  readonly start: number;
  lastLoud: number;
  loud: number;
  pending: number;
  strange: number;
  readonly packets: (HeardPacket & { readonly end: number })[];
};

function utteranceOf(speech: Speech): Utterance {
  const intact = speech.strange === 0 && speech.packets.length > 0 && speech.packets.every(isWholeAndInPlace);
  const bytes = Buffer.concat(speech.packets.map((packet) => packet.payload));
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  return {
    text: intact ? text : `${text.replaceAll(/\p{C}+/gu, '')}${BROKEN}`,
    startMs: toMs(speech.start),
    endMs: toMs(speech.lastLoud + 1),
    intact,
  };
}

/** Exactly what was said, and the next packet of the same text at the right distance from the one before. */
function isWholeAndInPlace(packet: Speech['packets'][number], at: number, packets: Speech['packets']): boolean {
  if (!packet.whole || !packet.exact) return false;
  const before = packets[at - 1];
  if (before === undefined) return true;
  return packet.index === before.index + 1 && packet.end - packet.samples - before.end === GAP_SAMPLES;
}

function toMs(samples: number): number {
  return Math.round((samples * 1_000) / SAMPLE_RATE);
}
