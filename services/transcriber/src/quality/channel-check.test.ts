import type { LiveTurn } from '@pipeline/contracts';
import { describe, expect, test } from 'vitest';
import type { PartText } from './heard-part.ts';
import { judge } from './judge.ts';

const AGENT = ['שלום, הגעתם לשיפוצי הצפון. במה אפשר לעזור?', 'באיזו עיר נמצאת הדירה?'];
const CALLER = ['שלום, אני רוצה לשפץ את המטבח ואת חדר האמבטיה', 'בתל אביב, ליד הים'];
const live: LiveTurn[] = [
  { speaker: 'agent', text: AGENT[0]!, startMs: 0 },
  { speaker: 'caller', text: CALLER[0]!, startMs: 4_000 },
  { speaker: 'agent', text: AGENT[1]!, startMs: 9_000 },
  { speaker: 'caller', text: CALLER[1]!, startMs: 12_000 },
];

function verdict(left: readonly string[], right: readonly string[], turns: readonly LiveTurn[] | null = live) {
  const partsOf = (texts: readonly string[], channel: 0 | 1): PartText[] =>
    texts.map((text, at) => ({
      text,
      channel,
      startMs: at * 5_000,
      endMs: at * 5_000 + 4_000,
      spokenMs: 4_000,
      isTonal: false,
    }));
  const parts = [...partsOf(left, 0), ...partsOf(right, 1)];
  return judge({ parts, live: turns, keywords: [], channelMap: ['caller', 'agent'], maxCharsPerSec: 40 }).channels;
}

describe('B86 channels held against the live transcript', () => {
  test('are as configured when the words are', () => {
    expect(verdict(CALLER, AGENT)).toBe('as configured');
    expect(verdict(['שלום אני רצה לשפץ את המדבח ואת חדר אמבטיה'], AGENT)).toBe('as configured');
  });

  test('are swapped when the agent is on the other one', () => {
    expect(verdict(AGENT, CALLER)).toBe('swapped');
    expect(verdict(AGENT, [])).toBe('swapped');
    expect(verdict(AGENT, ['משהו אחר לגמרי שלא נשמע בתמלול החי'])).toBe('swapped');
  });

  test('are doubtful when only the caller, whose live words are guessed, is elsewhere', () => {
    expect(verdict([], CALLER)).toBe('doubtful');
  });

  test('are unknown when there is little to compare', () => {
    expect(verdict(AGENT, CALLER, null)).toBe('unknown');
    expect(verdict(AGENT, CALLER, [{ speaker: 'agent', text: 'שלום', startMs: 0 }])).toBe('unknown');
    expect(verdict(['שלום'], ['כן'])).toBe('unknown');
  });
});
