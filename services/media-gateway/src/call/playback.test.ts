import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { audioDone, cutShort, emptyPlayback, markEchoed, noMoreAudio, sendAudio, unplayedMs } from './playback.ts';
import type { Playback } from './playback.ts';

function send(playback: Playback, itemId: string, ms: number): { playback: Playback; mark: string } {
  const sent = sendAudio(playback, itemId, ms);
  return { playback: sent.playback, mark: sent.mark ?? 'nothing was sent' };
}

describe('playback', () => {
  it('cuts what plays where it was heard and what waits at zero', () => {
    const first = send(emptyPlayback, 'a', 200);
    const second = send(first.playback, 'a', 200);
    const third = send(second.playback, 'b', 200);
    const { cuts } = cutShort(markEchoed(third.playback, first.mark));
    expect(cuts).toEqual([
      { itemId: 'a', heardMs: 250 },
      { itemId: 'b', heardMs: 0 },
    ]);
  });

  it('never believes that more was heard than was sent', () => {
    const sent = send(emptyPlayback, 'a', 20);
    expect(cutShort(sent.playback).cuts).toEqual([{ itemId: 'a', heardMs: 20 }]);
  });

  it('interrupts nothing when everything was sent and heard', () => {
    const sent = send(emptyPlayback, 'a', 200);
    const heard = markEchoed(audioDone(sent.playback, 'a'), sent.mark);
    expect(cutShort(heard).cuts).toEqual([]);
    expect(unplayedMs(heard)).toBe(0);
  });

  it('cuts an item whose rest is still to come, although all of it so far was heard', () => {
    const sent = send(emptyPlayback, 'a', 200);
    const { playback, cuts } = cutShort(markEchoed(sent.playback, sent.mark));
    expect(cuts).toEqual([{ itemId: 'a', heardMs: 200 }]);
    expect(sendAudio(playback, 'a', 100).mark).toBeNull();
  });

  it('ignores the echoes that a clear brings back, and marks that are not ours', () => {
    const before = send(emptyPlayback, 'a', 200);
    const cut = cutShort(before.playback).playback;
    const next = send(cut, 'b', 100);
    for (const name of [before.mark, 'x', '2:100:unknown', '', next.mark.replace('2:', '3:')]) {
      expect(unplayedMs(markEchoed(next.playback, name))).toBe(100);
    }
    expect(unplayedMs(markEchoed(next.playback, next.mark))).toBe(0);
  });

  it('waits for nothing more of a session that is gone', () => {
    const sent = send(emptyPlayback, 'a', 200);
    expect(cutShort(noMoreAudio(markEchoed(sent.playback, sent.mark))).cuts).toEqual([]);
  });

  it('keeps heard within sent, whatever marks come back', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('send' as const), item: fc.constantFrom('a', 'b', 'c'), ms: fc.nat(400) }),
      fc.record({ kind: fc.constant('echo' as const), name: fc.string() }),
      fc.record({ kind: fc.constant('echo' as const), name: fc.stringMatching(/^[1-3]:\d{1,4}:[abc]$/) }),
      fc.record({ kind: fc.constant('done' as const), item: fc.constantFrom('a', 'b', 'c') }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const sentMs = new Map<string, number>();
        let playback = emptyPlayback;
        for (const each of steps) {
          if (each.kind === 'echo') playback = markEchoed(playback, each.name);
          else if (each.kind === 'done') playback = audioDone(playback, each.item);
          else {
            playback = sendAudio(playback, each.item, each.ms).playback;
            sentMs.set(each.item, (sentMs.get(each.item) ?? 0) + each.ms);
          }
          expect(unplayedMs(playback)).toBeGreaterThanOrEqual(0);
        }
        for (const cut of cutShort(playback).cuts) {
          expect(cut.heardMs).toBeGreaterThanOrEqual(0);
          expect(cut.heardMs).toBeLessThanOrEqual(sentMs.get(cut.itemId) ?? 0);
        }
      }),
    );
  });
});
