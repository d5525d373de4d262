import { createFrameStamp, type FrameStamp } from './stamp.ts';

/** Twilio's frame: 20 ms, 160 bytes of mu-law. */
export const CALLER_FRAME_MS = 20;
const BYTES_PER_MS = 8;

/** The frames of the caller. */
export const callerStamp: FrameStamp = createFrameStamp(CALLER_FRAME_MS * BYTES_PER_MS);

/** The agent's pieces of so many milliseconds. */
export function agentStamp(pieceMs: number): FrameStamp {
  return createFrameStamp(pieceMs * BYTES_PER_MS);
}
