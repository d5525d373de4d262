import { mulawDecode, mulawEncode } from './mulaw.ts';
import { SAMPLE_RATE as RATE } from './symbols.ts';

/** What a telephone line leaves of a sound. */
export function throughLine(samples: Int16Array): Int16Array {
  return mulawDecode(mulawEncode(samples));
}

/** Nothing. */
export const silence = (seconds: number): Int16Array => new Int16Array(seconds * RATE);

/** Steady tones at these frequencies in Hz. */
export function tone(seconds: number, ...hertz: readonly number[]): Int16Array {
  return sound(seconds, (at) => (9_000 / hertz.length) * hertz.reduce((sum, one) => sum + wave(one, at), 0));
}

/** Keys of a telephone: 100 ms each, 100 ms apart, off the grid of 20 ms. */
export function keys(seconds: number): Int16Array {
  const rows = [697, 770, 852, 941];
  const columns = [1_209, 1_336, 1_477];
  return sound(seconds, (at) => {
    const shifted = at + 37;
    const key = Math.floor(shifted / 800);
    if (key % 2 === 1) return 0;
    return 4_500 * (wave(rows[(key / 2) % 4] ?? 0, at) + wave(columns[(key / 2) % 3] ?? 0, at));
  });
}

/** Three voices with overtones that change four times a second and die away. */
export function music(seconds: number): Int16Array {
  const scale = [261.6, 293.7, 329.6, 349.2, 392, 440, 493.9, 523.3];
  return sound(seconds, (at) => {
    const note = Math.floor(at / 2_000);
    const loudness = 2_500 * Math.exp((-3 * (at % 2_000)) / RATE);
    const voices = [scale[(note * 3) % 8], (scale[(note * 5 + 2) % 8] ?? 0) / 2, scale[(note + 4) % 8]];
    const partials = voices.flatMap((hertz = 0) => [1, 2, 3, 4].map((part) => wave(hertz * part, at) / part));
    return loudness * partials.reduce((sum, one) => sum + one, 0);
  });
}

/** A voice of a kind: pulses at a changing pitch and noise, through three moving resonances. */
export function voice(seconds: number, pitchHz: number): Int16Array {
  const resonators = [createResonator(), createResonator(), createResonator()] as const;
  const noise = createNoise();
  let phase = 0;
  const raw = Float64Array.from({ length: seconds * RATE }, (_, at) => {
    const t = at / RATE;
    phase += (pitchHz * (1 + 0.1 * Math.sin(4.4 * t))) / RATE;
    const isPulse = phase >= 1;
    if (isPulse) phase -= 1;
    const source = (t * 4) % 1 < 0.7 ? Number(isPulse) * 20 : noise() * 2;
    const low = resonators[0](source, 500 + 250 * Math.sin(9 * t), 80);
    const middle = resonators[1](low, 1_500 + 500 * Math.sin(6 * t + 1), 120);
    return resonators[2](middle, 2_500 + 200 * Math.sin(5 * t), 160);
  });
  const peak = raw.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  return Int16Array.from(raw, (sample) => (sample / peak) * 12_000);
}

/** One sound after another. */
export function inTurn(...sounds: readonly Int16Array[]): Int16Array {
  return Int16Array.from(sounds.flatMap((samples) => [...samples]));
}

function sound(seconds: number, sampleAt: (at: number) => number): Int16Array {
  return Int16Array.from({ length: seconds * RATE }, (_, at) => Math.round(sampleAt(at)));
}

function wave(hertz: number, at: number): number {
  return Math.sin((2 * Math.PI * hertz * at) / RATE);
}

function createResonator() {
  let last = 0;
  let before = 0;
  return (input: number, hertz: number, bandwidth: number): number => {
    const radius = Math.exp((-Math.PI * bandwidth) / RATE);
    const output = input + 2 * radius * Math.cos((2 * Math.PI * hertz) / RATE) * last - radius * radius * before;
    before = last;
    last = output;
    return output * (1 - radius);
  };
}

/** The same noise each time, from -0.5 to 0.5. */
function createNoise(): () => number {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647 - 0.5;
  };
}
