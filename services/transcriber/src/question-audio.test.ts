import { describe, expect, test } from 'vitest';
import { audioOf, writeWav } from './fixtures.ts';
import { listening, type Listening } from './listening.ts';
import { withAudio } from './question-audio.ts';
import { surveyRecording } from './recording/survey.ts';

const RATE = 8_000;
const SECONDS = 60;
const never = new AbortController().signal;
const samples = Int16Array.from({ length: SECONDS * RATE }, (_, at) => ((at * at * 7_919) % 15_991) - 8_000);
const source = audioOf(writeWav(samples, RATE));
const survey = await surveyRecording(source, never);
const question = { source, survey, window: { channel: 0, parts: [{ startMs: 0, endMs: SECONDS * 1_000 }] } };

describe('the audio of a request', () => {
  test('comes in pieces, is as long as was told, and the same each time it is read', async () => {
    const read = await withAudio(
      question,
      listening.cut,
      async (audio) => {
        const times: Buffer[] = [];
        for (const _time of [1, 2]) {
          const pieces: Uint8Array[] = [];
          for await (const piece of audio.read()) pieces.push(piece);
          expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(65_536);
          expect(audio).toMatchObject({ bytes: 44 + samples.length * 2, seconds: SECONDS });
          times.push(Buffer.concat(pieces));
        }
        return times;
      },
      never,
    );
    expect(read.map((bytes) => bytes.equals(writeWav(samples, RATE)))).toEqual([true, true]);
  });

  test('is read no further once the request has ended, and the end waits for what is read just then', async () => {
    const order: string[] = [];
    let go: () => void = () => {};
    const held = new Promise<void>((resolve) => (go = resolve));
    const cut: Listening['cut'] = async (...given) => {
      order.push('reads');
      await held;
      return listening.cut(...given).finally(() => order.push('lets go'));
    };
    const pieces: AsyncIterator<Uint8Array>[] = [];
    const refused = withAudio(
      question,
      cut,
      async (audio) => {
        const reading = audio.read()[Symbol.asyncIterator]();
        pieces.push(reading);
        await reading.next();
        reading.next().catch(() => undefined);
        throw new Error('400');
      },
      never,
    );
    const ended = refused.catch((error: unknown) => order.push(String(error)));
    await expect.poll(() => order).toContain('reads');
    go();
    await ended;
    await pieces[0]?.next().catch(() => undefined);
    expect(order).toEqual(['reads', 'lets go', 'Error: 400']);
  });
});
