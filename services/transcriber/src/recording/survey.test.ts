import { describe, expect, test } from 'vitest';
import { cutAudio, writeWav } from '../fixtures.ts';
import { demodulate, modulate } from '@pipeline/sandbox';
import type { AudioSource } from './audio-source.ts';
import { surveyRecording } from './survey.ts';
import { planWindows } from './windows.ts';

const RATE = 8_000;
const never = new AbortController().signal;

type Said = { readonly atMs: number; readonly channel: 0 | 1; readonly text: string };

/** A recording in which texts are said at their times. */
function recordingOf(said: readonly Said[], options: { seconds?: number; same?: boolean; channels?: 1 | 2 } = {}) {
  const { seconds = 20, same = false, channels = 2 } = options;
  const samples = new Int16Array(seconds * RATE * channels);
  for (const { atMs, channel, text } of said) {
    modulate(text).forEach((sample, index) => {
      const frame = (atMs * RATE) / 1_000 + index;
      samples[frame * channels + (channels === 1 ? 0 : channel)] = sample;
      if (same) samples[frame * channels + 1 - channel] = sample;
    });
  }
  const file = Buffer.from(writeWav(samples, RATE));
  file.writeUInt16LE(channels, 22);
  return sourceOf(file);
}

function sourceOf(bytes: Uint8Array): AudioSource & { readonly longest: () => number } {
  let longest = 0;
  const read = async (position: number, length: number) => {
    longest = Math.max(longest, length);
    return bytes.subarray(position, position + length);
  };
  return { size: bytes.length, read, longest: () => longest };
}

async function findSegments(source: AudioSource) {
  const survey = await surveyRecording(source, never);
  return planWindows(survey, 'segments').map((window) => ({
    ...window,
    side: survey.isDual ? ['left', 'right'][window.channel] : 'both',
    audio: () => cutAudio(source, survey.layout, window, never),
  }));
}

async function heard(source: AudioSource) {
  const segments = await findSegments(source);
  return Promise.all(
    segments.map(async ({ side, startMs, endMs, isTonal, audio }) => {
      const wav = await audio();
      const texts = demodulate(new Int16Array(wav.buffer.slice(44))).map(({ intact, text }) =>
        intact ? text : 'broken',
      );
      return { side, startMs, endMs, isTonal, texts };
    }),
  );
}

describe('segments of a recording', () => {
  test('hold each utterance whole, with its side, in order of time', async () => {
    const long = 'אני גר בתל אביב ואני צריך שיפוץ של המטבח ושל חדר האמבטיה, '.repeat(12);
    const source = recordingOf(
      [
        { atMs: 3_000, channel: 0, text: 'שלום' },
        { atMs: 500, channel: 1, text: 'Hello, how can I help?' },
        { atMs: 5_000, channel: 0, text: long },
        { atMs: 5_500, channel: 1, text: 'mm' },
      ],
      { seconds: 40 },
    );
    const segments = await heard(source);
    expect(segments.map(({ side, texts }) => [side, texts])).toEqual([
      ['right', ['Hello, how can I help?']],
      ['left', ['שלום']],
      ['left', [long]],
      ['right', ['mm']],
    ]);
    expect(segments.map(({ startMs }) => startMs)).toEqual([500, 3_000, 5_000, 5_500]);
  });

  test('are of both sides, each said once, when both channels are the same', async () => {
    const source = recordingOf([{ atMs: 500, channel: 0, text: 'twice the same' }], { same: true });
    expect(await heard(source)).toMatchObject([{ side: 'both', texts: ['twice the same'] }]);
  });

  test('are of both sides in a recording of one channel', async () => {
    const source = recordingOf([{ atMs: 500, channel: 0, text: 'alone' }], { channels: 1 });
    expect(await heard(source)).toMatchObject([{ side: 'both', texts: ['alone'] }]);
  });

  test('are of one side when the other channel has nothing but its echo', async () => {
    const left = modulate('only I speak');
    const samples = new Int16Array(RATE * 8);
    left.forEach((sample, index) => {
      samples[(RATE + index) * 2] = sample;
      samples[(RATE + index) * 2 + 1] = Math.round(sample / 100);
    });
    const file = Buffer.from(writeWav(samples, RATE));
    file.writeUInt16LE(2, 22);
    expect(await heard(sourceOf(file))).toMatchObject([{ side: 'left', texts: ['only I speak'] }]);
  });

  test('are none in silence', async () => {
    expect(await findSegments(recordingOf([]))).toEqual([]);
    expect(await findSegments(recordingOf([], { seconds: 0 }))).toEqual([]);
  });

  test('are found without reading more than some seconds at a time', async () => {
    const source = recordingOf([{ atMs: 100_000, channel: 0, text: 'late' }], { seconds: 120 });
    await findSegments(source);
    expect(source.longest()).toBeLessThanOrEqual(256_000);
  });

  test('of speech that is longer than a minute are cut without a sample lost or sent twice', async () => {
    const samples = new Int16Array(150 * RATE).map((_, index) => ((index * 7_919) % 15_991) - 8_000);
    const segments = await findSegments(sourceOf(writeWav(samples, RATE)));
    const parts = await Promise.all(
      segments.map(async ({ audio }) => [...new Int16Array((await audio()).buffer.slice(44))]),
    );
    expect(parts.length).toBeGreaterThan(2);
    expect(new Int16Array(parts.flat())).toEqual(samples);
  });

  test('with a bit flipped in their audio do not read as they were said', async () => {
    const samples = modulate('exactly these words');
    const damaged = samples.map((sample, index) => (index === 900 ? -sample : sample));
    expect(demodulate(samples)[0]).toMatchObject({ intact: true });
    const file = writeWav(damaged, RATE);
    expect(await heard(sourceOf(file))).toMatchObject([{ texts: ['broken'] }]);
  });
});
