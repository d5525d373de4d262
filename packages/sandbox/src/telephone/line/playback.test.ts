import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FRAME_BYTES } from './audio.ts';
import { createPlayback } from './playback.ts';

/** Plays one frame; what was played and passed. */
function playFrame(playback: ReturnType<typeof createPlayback>) {
  const frame = Buffer.alloc(FRAME_BYTES);
  const { at, marks } = playback.play(frame, 0);
  return { played: frame.subarray(0, at), marks };
}

const action = fc.oneof(
  fc.record({ kind: fc.constant('media' as const), bytes: fc.integer({ min: 0, max: 1_000 }) }),
  fc.record({ kind: fc.constant('mark' as const) }),
  fc.record({ kind: fc.constant('clear' as const) }),
  fc.record({ kind: fc.constant('play' as const) }),
);

test('whatever comes in which order, audio plays once and in order, and each mark passes once, after all before it', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const playback = createPlayback(() => 0);
      let sent = 0;
      const wrong: string[] = [];
      let next = 0;
      const markAt = new Map<string, number>();
      const passed: string[] = [];
      for (const one of actions) {
        if (one.kind === 'media') {
          playback.media(Buffer.from(Array.from({ length: one.bytes }, (_, at) => (sent + at) % 251)));
          sent += one.bytes;
        } else if (one.kind === 'mark') {
          markAt.set(`m${markAt.size}`, sent);
          playback.mark(`m${markAt.size - 1}`);
        } else if (one.kind === 'clear') {
          passed.push(...playback.clear());
          next = sent;
        } else {
          const { played, marks } = playFrame(playback);
          if (!played.every((byte, at) => byte === (next + at) % 251)) wrong.push('other bytes');
          next += played.length;
          if (marks.some((mark) => (markAt.get(mark) ?? Infinity) > next)) wrong.push('a mark too early');
          passed.push(...marks);
          if (played.length < FRAME_BYTES && playback.bufferedBytes > 0) wrong.push('a frame with a hole');
        }
        if (playback.bufferedBytes !== sent - next) wrong.push('a wrong length');
      }
      passed.push(...playback.clear());
      expect(passed).toEqual([...markAt.keys()]);
      expect(wrong).toEqual([]);
    }),
  );
});

test('a mark passes in the frame in which the last byte before it plays', () => {
  const playback = createPlayback(() => 0);
  playback.media(Buffer.alloc(FRAME_BYTES));
  playback.mark('first');
  playback.media(Buffer.alloc(FRAME_BYTES + 1));
  playback.mark('second');
  expect(playFrame(playback).marks).toEqual(['first']);
  expect(playFrame(playback).marks).toEqual([]);
  expect(playFrame(playback).marks).toEqual(['second']);
});

test('the buffer is bounded in audio and in marks', () => {
  const playback = createPlayback(() => 0);
  const minute = Buffer.alloc(60 * 8_000);
  expect(Array.from({ length: 12 }, () => playback.media(minute)).filter(Boolean)).toHaveLength(10);
  expect(Array.from({ length: 10_001 }, (_, at) => playback.mark(String(at))).filter(Boolean)).toHaveLength(10_000);
});
