import { inTurn, modulate, silence, writeWav } from '@pipeline/sandbox';
import { mkdtemp, open, readdir, rm, truncate, writeFile, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { audioOf } from '../fixtures.ts';
import { listening, type FileAudio } from '../listening.ts';
import { createListener, type Listener } from './listener.ts';

const RATE = 8_000;
const speech = (text: string): Int16Array => modulate(text);
const wavOf = (...channels: Int16Array[]) => new Uint8Array(writeWav({ sampleRate: RATE, channels }));
const never = new AbortController().signal;
const FOUR_HOURS_BYTES = 4 * 3_600 * 8_000 * 4;
let folder = '';
let listener: Listener;
const files: FileHandle[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'listener-test-'));
  listener = createListener();
});
afterEach(async () => {
  for (const file of files.splice(0)) await file.close();
});
afterAll(async () => {
  await listener.close();
  await rm(folder, { recursive: true });
});

/** A file with these bytes at its start, and nothing up to its size. */
async function fileOf(bytes: Uint8Array, size = bytes.length): Promise<FileAudio> {
  const path = join(folder, `${(await readdir(folder)).length}.wav`);
  await writeFile(path, bytes);
  await truncate(path, size);
  const file = await open(path);
  files.push(file);
  return { ...audioOf(bytes), fd: file.fd, size };
}

/** A call, of four hours when nothing is said, in which two words are said at its start; the rest of the file is a hole. */
async function longCall(bytes = FOUR_HOURS_BYTES): Promise<FileAudio> {
  const wav = wavOf(inTurn(silence(1), speech('hello')), inTurn(silence(4), speech('yes')));
  Buffer.from(wav.buffer).writeUInt32LE(0xffff_ffff, 40);
  return fileOf(wav, bytes + 44);
}

describe('listening in a thread', () => {
  test('gives what listening here gives', async () => {
    const wav = wavOf(inTurn(silence(1), speech('שלום, מה שלומך?'), silence(1)), inTurn(silence(3), speech('hi')));
    const source = await fileOf(wav);
    const survey = await listener.survey(source, never);
    expect(survey).toEqual(await listening.survey(audioOf(wav), never));
    const piece = { channel: 0, from: 7_200, to: 20_000 };
    const audio = await listener.cut(source, survey.layout, piece, never);
    expect(audio).toEqual(await listening.cut(audioOf(wav), survey.layout, piece, never));
    const channelMap = ['caller', 'agent'] as const;
    const given = { parts: [], live: null, keywords: ['a'], channelMap, maxCharsPerSec: 40 };
    expect(await listener.judge(given, never)).toEqual(await listening.judge(given, never));
  });

  test('keeps the class of a failure', async () => {
    const page = await fileOf(Buffer.from('<html>this is no recording at all</html>'));
    await expect(listener.survey(page, never)).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'AUDIO_UNREADABLE',
    });
    const half = wavOf(silence(1));
    Buffer.from(half.buffer).writeUInt32LE(1_000_000, 40);
    await expect(listener.survey(await fileOf(half), never)).rejects.toMatchObject({
      name: 'RetryLaterError',
      deadline: 'recording',
      code: 'AUDIO_UNREADABLE',
    });
    await expect(listener.survey({ ...page, fd: 9_999 }, never)).rejects.toThrow('EBADF');
  });

  test('I8 of four hours leaves the event loop free, and other calls are not held up by it', async () => {
    const long = await longCall();
    const short = await fileOf(wavOf(inTurn(silence(1), speech('brief'))));
    const delay = monitorEventLoopDelay({ resolution: 5 });
    const idle = performance.eventLoopUtilization();
    delay.enable();
    const order: string[] = [];
    const startedAt = performance.now();
    const surveying = listener.survey(long, never).then((survey) => (order.push('long'), survey));
    await listener.survey(short, never).then(() => order.push('short'));
    const survey = await surveying;
    const ms = performance.now() - startedAt;
    delay.disable();
    expect(order).toEqual(['short', 'long']);
    expect(survey.channels.map(({ stretches }) => stretches.length)).toEqual([1, 1]);
    expect(survey.layout.frames).toBe(FOUR_HOURS_BYTES / 4);
    const { utilization } = performance.eventLoopUtilization(idle);
    const p99 = delay.percentile(99) / 1e6;
    process.stdout.write(
      `4 h surveyed in ${Math.round(ms)} ms; event loop p99 ${p99.toFixed(1)} ms, busy ${(utilization * 100).toFixed(1)} %\n`,
    );
    // On the loop itself it would be all of the time, and the short one would come last.
    expect(utilization).toBeLessThan(0.5);
  });

  test('that is given up ends soon, and only when the thread has let go of the file', async () => {
    const long = await longCall();
    const stop = new AbortController();
    const surveying = listener.survey(long, stop.signal);
    const startedAt = performance.now();
    setImmediate(() => stop.abort(new Error('shutting down')));
    await expect(surveying).rejects.toThrow('shutting down');
    const whole = performance.now();
    await listener.survey(long, never);
    expect(whole - startedAt).toBeLessThan(performance.now() - whole);
    await expect(listener.survey(long, stop.signal)).rejects.toThrow('shutting down');
  });

  test('that dies fails what it had in hand; the next call has a new one', async () => {
    const own = createListener();
    const surveying = own.survey(await longCall(), never);
    const failure = surveying.catch((error: unknown) => String(error));
    await own.close();
    expect(await failure).toContain('the listening thread ended');
    expect((await own.survey(await fileOf(wavOf(silence(1))), never)).layout.frames).toBe(8_000);
    await own.close();
  });
});
