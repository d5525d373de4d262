import { open } from 'node:fs/promises';
import { modulate, mulawDecode, mulawEncode, writeWav } from '@pipeline/sandbox';

/** One thing that is said on a recording. */
export type Utterance = { readonly speaker: 'caller' | 'agent'; readonly startMs: number; readonly text: string };

const RATE = 8_000;
const FRAME_BYTES = 4;
const HEADER_BYTES = 44;

/** A recording of hours as it really is: both sides in turn, here and there at once, and long silences. */
export function conversation(hours: number, turns: number): Utterance[] {
  const everyMs = (hours * 3_600_000) / turns;
  return Array.from({ length: turns }, (_, at) => {
    const speaker = at % 2 === 0 ? 'agent' : 'caller';
    // Every tenth turn begins while the one before it is still said.
    const startMs = Math.round((at % 10 === 9 ? (at - 1) * everyMs + 400 : at * everyMs + 1_000) / 20) * 20;
    return { speaker, startMs, text: sentence(speaker, at) };
  });
}

function sentence(speaker: Utterance['speaker'], at: number): string {
  const number = (at * 7_919 + 46_656).toString(36);
  return speaker === 'agent'
    ? `Agent says ${number}: shall we go on with number ${at}?`
    : `אני אומר ${number}, וזה המשפט ה-${at}`;
}

/**
 * Writes a recording of two channels without ever holding it: where nobody speaks the file has a hole. Resolves with its size, which
 * is that of a real one: 115 MB an hour.
 */
export async function writeRecording(path: string, hours: number, said: readonly Utterance[]): Promise<number> {
  const bytes = HEADER_BYTES + hours * 3_600 * RATE * FRAME_BYTES;
  const file = await open(path, 'w+');
  const header = writeWav({ sampleRate: RATE, channels: [new Int16Array(0), new Int16Array(0)] });
  header.writeUInt32LE(bytes - HEADER_BYTES, 40);
  await file.write(header, 0, HEADER_BYTES, 0);
  await file.truncate(bytes);
  for (const { speaker, startMs, text } of said) {
    const at = HEADER_BYTES + Math.round((startMs * RATE) / 1_000) * FRAME_BYTES;
    await addSpeech(file, at, speaker === 'caller' ? 0 : 2, mulawDecode(mulawEncode(modulate(text))));
  }
  await file.close();
  return bytes;
}

/** Both sides all the time, of 8 s at least 6 each: sound that passes for speech, and says nothing to anybody. */
export async function writeDenseRecording(path: string, hours: number): Promise<void> {
  const seconds = 8;
  const frames = seconds * RATE;
  let seed = 1;
  const noise = (): number => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fff_ffff;
    return ((seed >> 8) & 0x1fff) - 0x1000;
  };
  const side = (from: number, to: number): Int16Array =>
    Int16Array.from({ length: frames }, (_, at) => (at >= from * RATE && at < to * RATE ? noise() : 0));
  const block = writeWav({ sampleRate: RATE, channels: [side(0, 6.5), side(1, 7.2)] });
  const blocks = (hours * 3_600) / seconds;
  const header = Buffer.from(block.subarray(0, HEADER_BYTES));
  header.writeUInt32LE(blocks * frames * FRAME_BYTES, 40);
  const file = await open(path, 'w');
  await file.write(header);
  for (let at = 0; at < blocks; at += 1) await file.write(block, HEADER_BYTES);
  await file.close();
}

/** Puts samples on one channel and leaves what is on the other. */
async function addSpeech(
  file: Awaited<ReturnType<typeof open>>,
  at: number,
  channelByte: number,
  samples: Int16Array,
): Promise<void> {
  const frames = Buffer.alloc(samples.length * FRAME_BYTES);
  await file.read(frames, 0, frames.length, at);
  samples.forEach((sample, index) => frames.writeInt16LE(sample, index * FRAME_BYTES + channelByte));
  await file.write(frames, 0, frames.length, at);
}
