import type { HeardPart } from './heard-part.ts';
import type { LiveIndex, Side } from './live-index.ts';

/** Who is on the left and on the right channel of a recording. */
export type ChannelMap = readonly [Side, Side];

export type ChannelVerdict = 'as configured' | 'swapped' | 'doubtful' | 'unknown';

/** Letters that must be on both sides of the comparison: a greeting alone proves nothing. */
const FEWEST_LETTERS = 40;
/** The other way round fits better by this much of two whole texts: clear enough to follow. */
const CLEARLY = 0.5;
/** ... and by this much to doubt. */
const SLIGHTLY = 0.15;
/** What the agent said is known exactly, so most of it must be found on the channel that is said to be the agent's. */
const AGENT_FOUND = 0.5;

/**
 * Holds the configured channel map against the live transcript: the agent's words are known exactly there, whichever channel they
 * are on. `unknown` where there is too little to compare.
 */
export function checkChannels(parts: readonly HeardPart[], live: LiveIndex, [left, right]: ChannelMap): ChannelVerdict {
  const onLeft = parts.filter(({ channel }) => channel === 0);
  const onRight = parts.filter(({ channel }) => channel === 1);
  const heard = [...onLeft, ...onRight].reduce((sum, { letters }) => sum + letters.length, 0);
  if (heard < FEWEST_LETTERS || live.letters.agent < FEWEST_LETTERS / 2) return 'unknown';
  const fits = (onChannel: readonly HeardPart[], side: Side): number => shareOf(onChannel, live, side);
  const straight = fits(onLeft, left) + fits(onRight, right);
  const crossed = fits(onLeft, right) + fits(onRight, left);
  const agentElsewhere = fits(left === 'agent' ? onRight : onLeft, 'agent');
  if (crossed - straight >= CLEARLY && agentElsewhere >= AGENT_FOUND) return 'swapped';
  return crossed - straight >= SLIGHTLY ? 'doubtful' : 'as configured';
}

/** Share of all letters on a channel that one side says in the live transcript. */
function shareOf(parts: readonly HeardPart[], live: LiveIndex, side: Side): number {
  const all = parts.reduce((sum, { letters }) => sum + letters.length, 0);
  const found = parts.reduce((sum, part) => sum + part.letters.length * live.match(part.letters, part, [side]), 0);
  return all === 0 ? 0 : found / all;
}
