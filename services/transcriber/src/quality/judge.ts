import type { LiveTurn, QualityFlag } from '@pipeline/contracts';
import { checkChannels, type ChannelMap, type ChannelVerdict } from './channel-check.ts';
import type { HeardPart, PartText } from './heard-part.ts';
import { lettersOf } from './letters.ts';
import { createLiveIndex, type LiveIndex } from './live-index.ts';
import { createEchoCheck, type LiveWord } from './prompt-echo.ts';
import { isLoop } from './repetition.ts';

export type Case = {
  readonly parts: readonly PartText[];
  readonly live: readonly LiveTurn[] | null;
  readonly keywords: readonly string[];
  readonly channelMap: ChannelMap;
  /** Letters and digits that people say in a second at most. */
  readonly maxCharsPerSec: number;
};

/** `flags` of each part, in order; `liveMatch` as in the contract. */
export type Judgement = {
  readonly flags: readonly (readonly QualityFlag[])[];
  readonly channels: ChannelVerdict;
  readonly liveMatch: number | null;
  readonly differsFromLive: boolean;
};

/** Letters below which a text says too little to be held against the live transcript. */
const FEWEST_LETTERS = 12;
const FEWEST_LETTERS_OF_A_CALL = 30;
/** Letters that any sound may bring, however short. */
const FREE_LETTERS = 8;
/** A part of which less than this is in the live transcript is not in it. */
const NOT_IN_LIVE = 0.15;
/** A transcript of which less than this is in the live transcript is another one. */
const DIFFERS = 0.3;
/** A part of which this much is in the live transcript was said: two recognizers do not invent the same. */
const CONFIRMED = 0.5;
/** The same text this often on one channel is invented, unless the live transcript has it. */
const SAME_TEXT_TIMES = 4;

/** Holds what was heard against what can be known without understanding a word of it. Flags, never drops. */
export function judge(given: Case): Judgement {
  const parts = given.parts.map((part) => ({ ...part, letters: lettersOf(part.text) }));
  const live = given.live === null ? null : createLiveIndex(given.live);
  const matches = parts.map((part) => live?.match(part.letters, part, ['caller', 'agent']) ?? 0);
  const liveMatch = live === null ? null : matchOf(parts, matches, live);
  const differsFromLive = liveMatch !== null && liveMatch < DIFFERS;
  const isEcho = createEchoCheck(given.keywords);
  const repeated = repeatedTexts(parts, matches);
  const flags = parts.map((part, index): QualityFlag[] => {
    const { letters } = part;
    if (part.text.trim() === '') return [];
    const isKnownLive = live !== null && liveMatch !== null && !differsFromLive && live.covers(part);
    const match = letters.length < FEWEST_LETTERS ? null : (matches[index] ?? 0);
    const isConfirmed = match !== null && match >= CONFIRMED;
    const notInLive = isKnownLive && match !== null && match < NOT_IN_LIVE;
    const liveWord: LiveWord = isConfirmed ? 'confirms' : notInLive ? 'contradicts' : 'unknown';
    return [
      ...(letters === '' ? (['no_words'] as const) : []),
      ...(isLoop(letters) || repeated.has(keyOf(part)) ? (['repetition'] as const) : []),
      ...(isEcho(letters, liveWord) ? (['prompt_echo'] as const) : []),
      ...(!isConfirmed && isTooFast(part, given.maxCharsPerSec) ? (['too_fast'] as const) : []),
      ...(!isConfirmed && part.isTonal ? (['tonal'] as const) : []),
      ...(notInLive ? (['not_in_live'] as const) : []),
    ];
  });
  return {
    flags,
    channels: live === null ? 'unknown' : checkChannels(parts, live, given.channelMap),
    liveMatch,
    differsFromLive,
  };
}

/** Share of all letters that the live transcript has, `null` where either side says too little. */
function matchOf(parts: readonly HeardPart[], matches: readonly number[], live: LiveIndex): number | null {
  const all = parts.reduce((sum, { letters }) => sum + letters.length, 0);
  if (all < FEWEST_LETTERS_OF_A_CALL || live.letters.caller + live.letters.agent < FEWEST_LETTERS_OF_A_CALL)
    return null;
  const found = parts.reduce((sum, { letters }, index) => sum + letters.length * (matches[index] ?? 0), 0);
  return Math.round((found / all) * 1_000) / 1_000;
}

function isTooFast({ letters, spokenMs }: HeardPart, maxCharsPerSec: number): boolean {
  return letters.length > FREE_LETTERS + (spokenMs / 1_000) * maxCharsPerSec;
}

/** Texts that come again and again on one channel, and that the live transcript does not have. */
function repeatedTexts(parts: readonly HeardPart[], matches: readonly number[]): Set<string> {
  const times = new Map<string, number>();
  parts.forEach((part, index) => {
    if (part.letters.length < FEWEST_LETTERS || (matches[index] ?? 0) >= CONFIRMED) return;
    times.set(keyOf(part), (times.get(keyOf(part)) ?? 0) + 1);
  });
  return new Set([...times].filter(([, count]) => count >= SAME_TEXT_TIMES).map(([key]) => key));
}

function keyOf({ channel, letters }: HeardPart): string {
  return `${channel}:${letters}`;
}
