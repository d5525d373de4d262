import { describe, expect, test } from 'vitest';
import { ended } from './fixtures.ts';
import { mayBeRecorded } from './unrecorded.ts';

const turns = [{ speaker: 'agent', text: 'hello', startMs: 0 }] as const;

function judged(endedReason: string, more: { durationSec?: number | null; wasOpen?: boolean } = {}): boolean {
  const { durationSec = 0, wasOpen = false } = more;
  const call = { ...ended.data.call, endedReason, durationSec };
  return mayBeRecorded({ call, liveTranscript: wasOpen ? [...turns] : null });
}

describe('whether a call may have been recorded', () => {
  test.each(['busy', 'no_answer', 'canceled', 'failed', 'refused'])('%s: it never began', (reason) => {
    expect(judged(reason)).toBe(false);
    expect(judged(reason, { durationSec: null })).toBe(false);
  });

  test.each(['busy', 'no_answer', 'canceled', 'failed', 'refused'])(
    '%s, but there was a media stream: it may',
    (reason) => {
      expect(judged(reason, { wasOpen: true })).toBe(true);
    },
  );

  test('unanswered for so long that somebody counted the seconds: it never began', () => {
    expect(judged('no_answer', { durationSec: 31 })).toBe(false);
  });

  test('failed after a second: it may have been taken', () => {
    expect(judged('failed', { durationSec: 1 })).toBe(true);
  });

  test.each([
    'completed',
    'stream_stopped',
    'stream_closed',
    'media_idle',
    'agent_lost',
    'drain',
    'a reason of next year',
  ])('%s, however short it was and whatever is left of it: it may', (reason) => {
    expect([judged(reason), judged(reason, { wasOpen: true })]).toEqual([true, true]);
  });
});
