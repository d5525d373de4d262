import { createPaidSteps, type CallEnded, type Received } from '@pipeline/contracts';
import { listening, type FileAudio } from './listening.ts';
import type { AudioSource } from './recording/audio-source.ts';
import { cutPiece, cutPieces, planCut, type Cut } from './recording/cut.ts';
import { wavHeader, type WavLayout } from './recording/wav.ts';
import type { SpeechAudio } from './speech-to-text.ts';

/** What the tests of transcriber work with. */
export const CALL_SID = `CA${'0f'.repeat(16)}`;

export const ended: Received<CallEnded> = {
  type: 'call.ended',
  version: 1,
  id: `${CALL_SID}:media-gateway:r3`,
  occurredAt: '2025-12-09T10:30:00Z',
  businessId: 'biz_1',
  callSid: CALL_SID,
  revision: 3,
  attempt: 2,
  data: {
    call: {
      from: '+972501234567',
      to: '+97231234567',
      direction: 'inbound',
      startedAt: '2025-12-09T10:29:00Z',
      endedAt: '2025-12-09T10:30:00Z',
      durationSec: 60,
      endedReason: 'caller_hung_up',
      source: 'gateway',
    },
    analysis: { language: 'he', keywords: ['שיפוצים'], summary: { maxSentences: 3, tone: 'neutral' } },
    liveTranscript: [{ speaker: 'agent', text: 'live words', startMs: 0 }],
    addedLater: 'kept',
  },
};

/** Bytes of memory as an open file, for work that runs in this thread. */
export function audioOf(bytes: Uint8Array): FileAudio {
  return { fd: -1, size: bytes.length, read: async (from, length) => bytes.subarray(from, from + length) };
}

/** A WAV file of one channel. */
export function writeWav(samples: Int16Array, sampleRate: number): Uint8Array<ArrayBuffer> {
  const wav = Buffer.concat([wavHeader(samples.length, sampleRate), new Uint8Array(samples.length * 2)]);
  samples.forEach((sample, at) => wav.writeInt16LE(sample, 44 + at * 2));
  return new Uint8Array(wav);
}

/** Bytes of memory as the audio of a request. */
export function speechOf(bytes: Uint8Array, seconds = 0): SpeechAudio {
  return {
    bytes: bytes.length,
    seconds,
    read: async function* read() {
      yield bytes;
    },
  };
}

/** All of what is streamed to speech-to-text in use. */
export async function cutAudio(
  source: AudioSource,
  layout: WavLayout,
  cut: Cut,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const plan = planCut(layout, cut);
  const chunks: Uint8Array[] = [];
  for await (const chunk of cutPieces(plan, (piece) => cutPiece(source, layout, piece, signal))) chunks.push(chunk);
  const bytes = new Uint8Array(Buffer.concat(chunks));
  if (bytes.length !== plan.bytes) throw new Error(`${bytes.length} bytes where ${plan.bytes} were told`);
  return bytes;
}

/** What a transcriber needs beside its recordings and its provider. Sandbox speech is faster than anybody speaks. */
export const surroundings = () => ({
  ...listening,
  paid: createPaidSteps(),
  report: () => {},
  now: Date.now,
  setup: {
    model: 'gpt-transcribe',
    channelMap: ['caller', 'agent'] as const,
    mode: 'segments' as const,
    concurrency: 4,
    maxCharsPerSec: 150,
  },
});
