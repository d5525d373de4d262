import { expect, test } from 'vitest';
import { modulate } from '../../speech/modulate.ts';
import { mulawEncode } from '../../speech/mulaw.ts';
import { FRAME_BYTES } from './audio.ts';
import { createCaller } from './caller.ts';
import { createLine } from './line.ts';
import { createPlayback } from './playback.ts';
import { createRecording } from './recording.ts';
import type { CallScript } from './script.ts';

const SCRIPT: CallScript = {
  from: '+972501234567',
  to: '+972731234567',
  direction: 'inbound',
  silent: false,
  turns: [
    { speaker: 'agent', text: 'Hello.' },
    { speaker: 'caller', text: 'Good day.' },
  ],
  ending: 'caller_hangs_up',
};

/** A line whose wall clock is moved by hand. */
function makeLine(speed: number, script: CallScript = SCRIPT) {
  const wall = { ms: 0 };
  const now = (): number => wall.ms;
  const playback = createPlayback(now);
  const caller = createCaller(script, now);
  const recording = createRecording();
  const line = createLine({ playback, caller, recording: () => recording, speed, now });
  /** Runs so many frames, each taking its time on the wall; the kinds of turns. */
  const run = (frames: number): string[] =>
    Array.from({ length: frames }, () => {
      wall.ms += 20 / speed;
      return line.next().kind;
    });
  return { wall, playback, caller, line, run };
}

const WORDS = mulawEncode(modulate('Hello.'));

test('in a fast call words that come in two parts are heard whole: the clock waits for the rest', () => {
  const { playback, caller, run, wall } = makeLine(20);
  playback.media(WORDS.subarray(0, 1_000));
  expect(run(20)).toEqual([...Array.from({ length: 6 }, () => 'frame'), ...Array.from({ length: 14 }, () => 'held')]);
  wall.ms += 2_000;
  playback.media(WORDS.subarray(1_000));
  run(Math.ceil(WORDS.length / FRAME_BYTES));
  expect(caller.heard).toEqual(['Hello.']);
});

test('the wait is bounded; after the last word, and after a clear, there is none', () => {
  const broken = makeLine(20);
  broken.playback.media(WORDS.subarray(0, 1_000));
  broken.run(20);
  broken.wall.ms += 3_000;
  expect(broken.run(20)).not.toContain('held');
  expect(broken.caller.heard).toEqual([expect.stringMatching(/\uFFFD$/)]);
  const cleared = makeLine(20);
  cleared.playback.media(WORDS.subarray(0, 1_000));
  expect(cleared.run(8).at(-1)).toBe('held');
  cleared.playback.clear();
  expect(cleared.run(20)).not.toContain('held');
  const whole = makeLine(20);
  whole.playback.media(WORDS);
  expect(whole.run(200)).not.toContain('held');
});

test('in real time the clock never waits', () => {
  const { playback, run } = makeLine(1);
  playback.media(WORDS.subarray(0, 1_000));
  expect(run(100)).not.toContain('held');
});

test('the caller speaks after the agent and a pause, never into the words', () => {
  const { playback, caller, line, run } = makeLine(1);
  playback.media(WORDS);
  const wordFrames = Math.ceil(WORDS.length / FRAME_BYTES);
  run(wordFrames + 20);
  expect(caller.said).toEqual([]);
  run(10 + Math.ceil(modulate('Good day.').length / FRAME_BYTES));
  expect(caller.said).toEqual(['Good day.']);
  expect(caller.problems).toEqual([]);
  expect(line.frames).toBeGreaterThan(wordFrames);
});

test('a caller does not take damaged words for the end of a turn, but goes on after a while', () => {
  const { playback, caller, run } = makeLine(1);
  const damaged = Buffer.from(WORDS);
  damaged.fill(0xff, 800, 900);
  playback.media(damaged);
  run(200);
  expect(caller.said).toEqual([]);
  run(200);
  expect(caller.said).toEqual(['Good day.']);
  expect(caller.problems).toEqual([
    'the caller heard broken words',
    'the caller went on without having understood the agent',
  ]);
});

test('an agent that should hang up and does not is left by the caller', () => {
  const { playback, caller, run } = makeLine(1, { ...SCRIPT, ending: 'agent_hangs_up' });
  playback.media(WORDS);
  expect(run(1_700).at(-1)).toBe('hang_up');
  expect(caller.problems).toEqual(['the caller hung up, because the agent did not']);
});
