import { mulawDecode } from '../../speech/mulaw.ts';
import { writeWav } from '../../speech/wav.ts';
import { FRAME_BYTES, FRAME_MS, SAMPLES_PER_SECOND, SILENCE_BYTE } from './audio.ts';

/** Damage done on purpose, so that a test can show that it does not go unseen. */
export type Corruption = 'swapped_channels' | 'dropped_frame' | 'wrong_rate' | 'flipped_bit';

/**
 * The two sides of a call, frame by frame in call time: what the caller's telephone sent, and what it played of the agent (so
 * words that `clear` cut are cut here too). Kept as mu-law, 16 kB a second.
 */
export type Recording = {
  /** Adds 20 ms of both sides. */
  add(caller: Buffer, agent: Buffer): void;
  readonly durationMs: number;
  readonly bytes: number;
  /** A WAV file, PCM16 at 8 kHz. Two channels: 1 the caller, 2 the agent; one channel: both mixed. */
  wav(channels: 1 | 2, corruption?: Corruption): Buffer;
};

/** Frames of one chunk: a second. */
const CHUNK_FRAMES = 50;
const SIGN_BIT = 0x80;

/** An empty {@link Recording}. */
export function createRecording(): Recording {
  const caller = createTrack();
  const agent = createTrack();
  return {
    add: (callerFrame, agentFrame) => {
      caller.add(callerFrame);
      agent.add(agentFrame);
    },
    get durationMs() {
      return caller.frames * FRAME_MS;
    },
    get bytes() {
      return 2 * caller.frames * FRAME_BYTES;
    },
    wav: (channels, corruption) => {
      const sides = damaged([caller.bytes(), agent.bytes()], corruption).map(mulawDecode);
      return writeWav({
        sampleRate: corruption === 'wrong_rate' ? 2 * SAMPLES_PER_SECOND : SAMPLES_PER_SECOND,
        channels: channels === 2 ? sides : [mixed(sides)],
      });
    },
  };
}

type Track = { add(frame: Buffer): void; bytes(): Buffer; readonly frames: number };

function createTrack(): Track {
  const chunks: Buffer[] = [];
  let frames = 0;
  return {
    add: (frame) => {
      const inChunk = frames % CHUNK_FRAMES;
      if (inChunk === 0) chunks.push(Buffer.alloc(CHUNK_FRAMES * FRAME_BYTES, SILENCE_BYTE));
      frame.copy(chunks.at(-1) ?? frame, inChunk * FRAME_BYTES, 0, FRAME_BYTES);
      frames += 1;
    },
    bytes: () => Buffer.concat(chunks, frames * FRAME_BYTES),
    get frames() {
      return frames;
    },
  };
}

function damaged(sides: readonly [Buffer, Buffer], corruption: Corruption | undefined): Buffer[] {
  const [caller, agent] = sides;
  switch (corruption) {
    case undefined:
    case 'wrong_rate':
      return [caller, agent];
    case 'swapped_channels':
      return [agent, caller];
    case 'dropped_frame': {
      const at = loudPlace(caller);
      return [Buffer.concat([caller.subarray(0, at), caller.subarray(at + FRAME_BYTES)]), agent];
    }
    case 'flipped_bit': {
      let at = loudPlace(caller);
      while (at < caller.length - 1 && caller[at] === SILENCE_BYTE) at += 1;
      caller[at] = (caller[at] ?? SILENCE_BYTE) ^ SIGN_BIT;
      return [caller, agent];
    }
  }
}

/** The start of the frame in the middle of those that hold sound, 0 when none does. */
function loudPlace(bytes: Buffer): number {
  const loud: number[] = [];
  for (let at = 0; at < bytes.length; at += FRAME_BYTES) {
    if (bytes.subarray(at, at + FRAME_BYTES).some((byte) => byte !== SILENCE_BYTE)) loud.push(at);
  }
  return loud[Math.floor(loud.length / 2)] ?? 0;
}

function mixed(sides: readonly Int16Array[]): Int16Array {
  const [first = new Int16Array(), second = new Int16Array()] = sides;
  return first.map((sample, at) => Math.max(-32_768, Math.min(32_767, sample + (second[at] ?? 0))));
}
