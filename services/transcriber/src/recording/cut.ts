import type { AudioSource } from './audio-source.ts';
import type { Stretch } from './speech.ts';
import { wavHeader, type WavLayout } from './wav.ts';

/** Parts of one channel to cut out, one after another. */
export type Cut = { readonly channel: number; readonly parts: readonly Stretch[] };

/** So much of one channel as is in memory at once: frames `[from, to)`. */
export type Piece = { readonly channel: number; readonly from: number; readonly to: number };

/** A WAV file of one channel before anything of it is read: `header`, the samples of `pieces`, `silentBytes` of silence. */
export type CutPlan = {
  readonly header: Uint8Array<ArrayBuffer>;
  readonly pieces: readonly Piece[];
  readonly silentBytes: number;
  /** Of the whole file. */
  readonly bytes: number;
  readonly seconds: number;
};

/** Speech-to-text refuses audio below 0.1 s; a shorter cut is followed by silence. */
const SHORTEST_MS = 300;
/** Frames of a piece, 4 s at 8 kHz: 64 kB, for each of which 128 kB of two channels are read. */
const PIECE_FRAMES = 32_768;
const BYTES_A_FRAME = 2;

/** What is sent of a recording: the second pass over it, in which it never is in memory as a whole, however long somebody speaks. */
export function planCut({ frames, sampleRate }: WavLayout, { channel, parts }: Cut): CutPlan {
  const frameAt = (ms: number) => Math.min(frames, Math.round((ms * sampleRate) / 1_000));
  const pieces: Piece[] = [];
  for (const { startMs, endMs } of parts) {
    const end = frameAt(endMs);
    for (let from = frameAt(startMs); from < end; from += PIECE_FRAMES) {
      pieces.push({ channel, from, to: Math.min(end, from + PIECE_FRAMES) });
    }
  }
  const spoken = pieces.reduce((sum, { from, to }) => sum + to - from, 0);
  const length = Math.max(spoken, Math.ceil((SHORTEST_MS * sampleRate) / 1_000));
  const header = wavHeader(length, sampleRate);
  const bytes = header.length + length * BYTES_A_FRAME;
  return { header, pieces, silentBytes: (length - spoken) * BYTES_A_FRAME, bytes, seconds: length / sampleRate };
}

/** The file of a plan, whose pieces are read one after another as they are asked for. */
export async function* cutPieces(
  { header, pieces, silentBytes }: CutPlan,
  read: (piece: Piece) => Promise<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  yield header;
  for (const piece of pieces) yield await read(piece);
  if (silentBytes > 0) yield new Uint8Array(silentBytes);
}

/** The samples of a piece, little endian. What a file that ends too early has not is silence: the length was told before. */
export async function cutPiece(
  source: AudioSource,
  { channels, dataStart }: WavLayout,
  { channel, from, to }: Piece,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  signal.throwIfAborted();
  const bytesPerFrame = BYTES_A_FRAME * channels;
  const read = await source.read(dataStart + from * bytesPerFrame, (to - from) * bytesPerFrame);
  const piece = new Uint8Array((to - from) * BYTES_A_FRAME);
  const first = channel * BYTES_A_FRAME;
  for (let at = 0; first + at * channels + 1 < read.length; at += BYTES_A_FRAME) {
    piece[at] = read[first + at * channels] ?? 0;
    piece[at + 1] = read[first + at * channels + 1] ?? 0;
  }
  return piece;
}
