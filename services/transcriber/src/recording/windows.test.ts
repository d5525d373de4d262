import { demodulate, inTurn, modulate, silence, writeWav } from '@pipeline/sandbox';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { audioOf, cutAudio } from '../fixtures.ts';
import { surveyRecording, type Survey } from './survey.ts';
import { planWindows, requestsAtOnce } from './windows.ts';

const RATE = 8_000;
const speech = (text: string): Int16Array => modulate(text);
const wavOf = (...channels: Int16Array[]) => new Uint8Array(writeWav({ sampleRate: RATE, channels }));
const never = new AbortController().signal;
const layout = { channels: 2, sampleRate: 8_000, dataStart: 44, frames: 8_000 * 15_000 } as const;

/** A survey in which one channel speaks for these lengths, with a pause of 2 s between. */
function surveyOf(lengths: readonly number[], sampleRate = 8_000): Survey {
  let at = 0;
  const stretches = lengths.map((ms) => {
    const startMs = at;
    at += ms + 2_000;
    return { startMs, endMs: startMs + ms, kind: 'speech' as const, audio: { startMs, endMs: startMs + ms + 400 } };
  });
  return { layout: { ...layout, sampleRate }, isDual: true, channels: [{ channel: 0, stretches, tones: 0 }] };
}

describe('B84 requests of a whole channel', () => {
  test('stay below 1,400 s and 25 MB and carry all speech once, in order, at any rate', () => {
    const lengths = fc.array(fc.integer({ min: 100, max: 60_000 }), { maxLength: 200 });
    fc.assert(
      fc.property(lengths, fc.constantFrom(8_000, 16_000, 48_000), (spoken, rate) => {
        const survey = surveyOf(spoken, rate);
        const windows = planWindows(survey, 'channels');
        for (const { parts } of windows) {
          const ms = parts.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
          expect(ms).toBeLessThan(1_400_000);
          expect((ms / 1_000) * rate * 2 + 44).toBeLessThan(25_000_000);
        }
        const all = survey.channels.flatMap(({ stretches }) => stretches.map(({ audio }) => audio));
        expect(windows.flatMap(({ parts }) => parts)).toEqual(all);
      }),
    );
  });

  test('are as few as can be: 40 minutes of one speaker are three', () => {
    expect(planWindows(surveyOf(Array.from({ length: 41 }, () => 58_000)), 'channels')).toHaveLength(3);
  });

  test('leave out the pauses, and every word arrives', async () => {
    const left = inTurn(silence(1), speech('first words'), silence(20), speech('later words'), silence(1));
    const right = inTurn(silence(5), speech('the other side'), silence(20));
    const source = audioOf(wavOf(left, right));
    const survey = await surveyRecording(source, never);
    const windows = planWindows(survey, 'channels');
    expect(windows).toHaveLength(2);
    const heard = await Promise.all(
      windows.map(async (window) => {
        const wav = await cutAudio(source, survey.layout, window, never);
        const samples = new Int16Array(wav.buffer.slice(44));
        return { seconds: samples.length / 8_000, texts: demodulate(samples).map(({ text }) => text) };
      }),
    );
    expect(heard.map(({ texts }) => texts)).toEqual([['first words', 'later words'], ['the other side']]);
    expect(heard[0]?.seconds).toBeLessThan(4);
  });

  test('are few at a time, whatever is configured', () => {
    expect([requestsAtOnce('channels', 6), requestsAtOnce('channels', 1), requestsAtOnce('segments', 6)]).toEqual([
      2, 1, 6,
    ]);
  });
});

test('B89 a cut that is shorter than speech-to-text takes is filled with silence', async () => {
  const source = audioOf(wavOf(speech('hi').subarray(0, 900)));
  const survey = await surveyRecording(source, never);
  const [window] = planWindows(survey, 'segments');
  const wav = await cutAudio(source, survey.layout, window ?? { channel: 0, parts: [] }, never);
  expect((wav.length - 44) / 16_000).toBe(0.3);
});
