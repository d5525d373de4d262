/** Samples, and mu-law bytes, a second: what telephone networks carry. */
export const SAMPLES_PER_SECOND = 8_000;
/** One frame of a media stream. */
export const FRAME_MS = 20;
export const FRAME_BYTES = 160;
/** Silence in mu-law. */
export const SILENCE_BYTE = 0xff;
export const SILENT_FRAME: Buffer = Buffer.alloc(FRAME_BYTES, SILENCE_BYTE);

/** Milliseconds of so many frames. */
export function framesToMs(frames: number): number {
  return frames * FRAME_MS;
}

/** Mu-law bytes as frames, the last one filled with silence. */
export function framesOf(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += FRAME_BYTES) {
    const frame = Buffer.from(SILENT_FRAME);
    bytes.copy(frame, 0, at, at + FRAME_BYTES);
    frames.push(frame);
  }
  return frames;
}
