import { QUIETEST_SPEECH_DBFS, SLICE_MS, type ChannelSound } from './loudness.ts';
import { SOUND } from './tonality.ts';

/** Somebody speaks from `startMs` to `endMs`. */
export type Stretch = { readonly startMs: number; readonly endMs: number };

/** What a stretch sounds like: `speech`, `tonal` as music is, or `tones` and nothing else, as keys of a telephone are. */
export type SoundKind = 'speech' | 'tonal' | 'tones';

/** Everything above this is taken for speech, however loud the line's noise: a paid request is better than a lost sentence. */
const LOUDEST_NOISE_DBFS = -38;
/** How far speech stands out of the noise of its line. */
const ABOVE_NOISE_DB = 10;
/** Pauses shorter than this stay inside a stretch: people breathe. */
const PAUSE_MS = 600;
/** A stretch with less sound than this is a click. */
const SHORTEST_SPEECH_MS = 100;
/** Where a tone begins, ends or changes it is not steady, for less than this. */
const TONE_EDGE_MS = 60;
/** Music and the like is what is tonal for this share of its sound. */
const TONAL_SHARE = 0.7;
/** A stretch longer than this is cut, at its quietest slice after half of this. */
const LONGEST_STRETCH_MS = 60_000;

/**
 * Where somebody speaks on one channel, from the loudness of its slices: stretches in order, without overlap, at least
 * {@link PAUSE_MS} apart unless a long one was cut. Never cuts inside speech shorter than {@link LONGEST_STRETCH_MS}.
 */
export function findSpeech(loudness: Float32Array, threshold: number = speechThreshold(loudness)): Stretch[] {
  const stretches: { from: number; to: number; loud: number }[] = [];
  loudness.forEach((level, slice) => {
    if (level <= threshold) return;
    const last = stretches.at(-1);
    if (last !== undefined && (slice - last.to) * SLICE_MS < PAUSE_MS) {
      last.to = slice + 1;
      last.loud += 1;
    } else stretches.push({ from: slice, to: slice + 1, loud: 1 });
  });
  return stretches
    .filter((stretch) => stretch.loud * SLICE_MS >= SHORTEST_SPEECH_MS)
    .flatMap((stretch) => cutLong(loudness, stretch.from, stretch.to))
    .map(([from, to]) => ({ startMs: from * SLICE_MS, endMs: to * SLICE_MS }));
}

/** The loudness above which a slice is speech: a little above the noise of the line, within the two bounds. */
export function speechThreshold(loudness: Float32Array): number {
  const ordered = loudness.toSorted();
  const noise = ordered[Math.floor(ordered.length / 10)] ?? QUIETEST_SPEECH_DBFS;
  return Math.min(Math.max(noise + ABOVE_NOISE_DB, QUIETEST_SPEECH_DBFS), LOUDEST_NOISE_DBFS);
}

/**
 * What a stretch sounds like. Tones are steady but for their edges: a word between two tones is longer than an edge, and so never taken
 * for one.
 */
export function soundKind({ levels, sounds }: ChannelSound, stretch: Stretch, threshold: number): SoundKind {
  let loud = 0;
  let tonal = 0;
  let steady = 0;
  let run = 0;
  let longest = 0;
  for (let slice = stretch.startMs / SLICE_MS; slice < stretch.endMs / SLICE_MS; slice += 1) {
    const isLoud = (levels[slice] ?? 0) > threshold;
    const sound = sounds[slice] ?? SOUND.other;
    if (isLoud) loud += 1;
    if (isLoud && sound !== SOUND.other) tonal += 1;
    if (isLoud && sound === SOUND.steady) steady += 1;
    run = isLoud && sound !== SOUND.steady ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  if (steady > 0 && longest * SLICE_MS < TONE_EDGE_MS) return 'tones';
  return tonal >= loud * TONAL_SHARE ? 'tonal' : 'speech';
}

function cutLong(loudness: Float32Array, from: number, to: number): [number, number][] {
  const longest = LONGEST_STRETCH_MS / SLICE_MS;
  const parts: [number, number][] = [];
  let start = from;
  while (to - start > longest) {
    const cut = quietestSlice(loudness, start + longest / 2, start + longest);
    parts.push([start, cut]);
    start = cut;
  }
  return [...parts, [start, to]];
}

function quietestSlice(loudness: Float32Array, from: number, to: number): number {
  let quietest = from;
  for (let slice = from; slice < to; slice += 1) {
    if ((loudness[slice] ?? 0) < (loudness[quietest] ?? 0)) quietest = slice;
  }
  return quietest;
}
