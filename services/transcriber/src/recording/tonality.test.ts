import { inTurn, keys, modulate, music, silence, throughLine, tone, voice, writeWav } from '@pipeline/sandbox';
import { describe, expect, test } from 'vitest';
import { audioOf } from '../fixtures.ts';
import { surveyRecording } from './survey.ts';
import { createToneDetector, SOUND } from './tonality.ts';

const RATE = 8_000;
const speech = (text: string): Int16Array => throughLine(modulate(text));
const wavOf = (...channels: Int16Array[]) => new Uint8Array(writeWav({ sampleRate: RATE, channels }));
const never = new AbortController().signal;

async function kindsOf(samples: Int16Array): Promise<string[]> {
  const { channels } = await surveyRecording(audioOf(wavOf(inTurn(silence(1), samples, silence(1)))), never);
  const [{ stretches, tones } = { stretches: [], tones: 0 }] = channels;
  return [...Array.from({ length: tones }, () => 'tones'), ...stretches.map(({ kind }) => kind)];
}

describe('B83 what a stretch of sound is', () => {
  test.each([
    ['a tone', tone(2, 440)],
    ['a ring-back of two tones', tone(2, 440, 480)],
    ['keys of a telephone', keys(2)],
  ])('%s is no speech, clean or through a line', async (_name, samples) => {
    expect(await kindsOf(samples)).toEqual(['tones']);
    expect(await kindsOf(throughLine(samples))).toEqual(['tones']);
  });

  test('music through a line is tonal', async () => {
    expect(await kindsOf(throughLine(music(4)))).toEqual(['tonal']);
  });

  test.each([
    ['a low voice', voice(3, 110)],
    ['a high voice', voice(3, 220)],
    ['the voice of a child', voice(3, 300)],
    ['sandbox speech', speech('אני מחפש קבלן שיפוצים לדירה')],
  ])('%s is speech, through a line too', async (_name, samples) => {
    expect(await kindsOf(samples)).toEqual(['speech']);
    expect(await kindsOf(throughLine(samples))).toEqual(['speech']);
  });

  test('a word between two tones is sent, and marked', async () => {
    expect(await kindsOf(inTurn(tone(1, 440), voice(0.4, 120), tone(1, 440)))).toEqual(['tonal']);
  });

  test('does not depend on the rate: at 48 kHz a voice is no tone', () => {
    const samples = voice(0.5, 150);
    const wide = Int16Array.from({ length: samples.length * 6 }, (_, at) => {
      const [before = 0, after = 0] = [samples[Math.floor(at / 6)], samples[Math.floor(at / 6) + 1]];
      return before + ((after - before) * (at % 6)) / 6;
    });
    const soundOf = createToneDetector(RATE * 6);
    const sounds = Array.from({ length: 20 }, (_, slice) => soundOf(wide.subarray(slice * 960, slice * 960 + 960)));
    expect(sounds.filter((sound) => sound === SOUND.steady)).toEqual([]);
  });
});
