import type { LetterFacts } from '@pipeline/messaging';
import { replayLetter, type Replayed, type ReplayDeps } from '../dead/replay.ts';
import { callOf, lettersOf, SEARCH_OPTIONS, searchOf } from '../dead/search.ts';
import { withLettersAndCalls } from '../dead/with-letters.ts';
import { createPace } from '../reanalysis/pace.ts';
import { CommandError, UsageError, type Context, type Result, type Verb } from '../verb.ts';

const MAX_RATE = 100;
/** Letters between two lines of progress. */
const PROGRESS_EVERY = 100;

type Counts = Record<Replayed['kind'], number>;

/** Gives what was set aside back to its stage, once the cause is mended: the original bytes, on their original subject. */
export const deadReplay: Verb = {
  name: 'dead replay',
  summary: 'publish the original event of dead letters again, once their cause is mended, and remove them',
  arguments: ['[<callSid>]'],
  options: {
    all: { summary: 'all that fit, in place of one call' },
    ...SEARCH_OPTIONS,
    rate: { value: '<number>', summary: `so many a second, up to ${MAX_RATE}; Ctrl-C stops between two`, default: '2' },
    'dry-run': { summary: 'only say what would be replayed, and why the rest would not' },
  },
  run: async (context) => {
    const [typed] = context.arguments;
    const wantsAll = context.options['all'] === true;
    if (wantsAll === (typed !== undefined))
      throw new UsageError('give a <callSid>, or --all (try it with --dry-run first)');
    const { since, fits } = searchOf(context, Date.now());
    const rate = Number(context.options['rate']);
    if (!(rate > 0) || rate > MAX_RATE) throw new UsageError(`--rate takes a number above 0, up to ${MAX_RATE}`);
    return withLettersAndCalls(context, async (letters, find) => {
      const deps = { open: letters.open, replay: letters.replay, find };
      if (typed !== undefined)
        return replayCall(callOf(typed), await lettersOf(letters, callOf(typed), context.signal), deps, context);
      // What is set aside again while this runs is left to the next time.
      const range = { upTo: await letters.lastSeq(), ...(since === null ? {} : { since }) };
      return replayEach(fitting(letters.list(range, context.signal), fits), deps, createPace(rate), context);
    });
  },
};

async function replayCall(
  callSid: string,
  found: readonly LetterFacts[],
  deps: ReplayDeps,
  context: Context,
): Promise<Result> {
  if (found.length === 0) throw new CommandError(`there is no dead letter of call ${callSid}: callctl why ${callSid}`);
  const result = await replayEach(found, deps, async () => undefined, context);
  return { ...result, text: `${result.text}\nsee: callctl why ${callSid}` };
}

async function replayEach(
  found: Iterable<LetterFacts> | AsyncIterable<LetterFacts>,
  deps: ReplayDeps,
  pace: (signal: AbortSignal) => Promise<unknown>,
  context: Context,
): Promise<Result> {
  const isRehearsal = context.options['dry-run'] === true;
  const counts: Counts = { replayed: 0, stored: 0, refused: 0, erased: 0, expired: 0, gone: 0 };
  let done = 0;
  for await (const letter of found) {
    if (!isRehearsal && done > 0) await pace(context.signal);
    const replayed = await replayLetter(letter, deps, isRehearsal, context.signal);
    counts[replayed.kind] += 1;
    done += 1;
    if (replayed.kind === 'refused')
      context.progress(`${letter.seq}  ${letter.callSid}: ${replayed.code}, ${replayed.reason}`);
    if (done % PROGRESS_EVERY === 0) context.progress(`${done} letters`);
  }
  return { ok: counts.refused === 0, json: { dryRun: isRehearsal, ...counts }, text: sentence(counts, isRehearsal) };
}

async function* fitting(
  letters: AsyncIterable<LetterFacts>,
  fits: (letter: LetterFacts) => boolean,
): AsyncGenerator<LetterFacts> {
  for await (const letter of letters) if (fits(letter)) yield letter;
}

function sentence(counts: Counts, isRehearsal: boolean): string {
  const parts = [
    [counts.replayed, isRehearsal ? 'would be replayed. Leave out --dry-run to do it' : 'replayed'],
    [counts.stored, 'left: their call has gone on and is stored (callctl reanalyze --call works it again)'],
    [counts.refused, 'left: this version does not read them either'],
    [counts.erased, 'left: their call was erased'],
    [counts.expired, 'left: their call is past its retention'],
    [counts.gone, 'were gone meanwhile'],
  ] as const;
  const told = parts.filter(([count]) => count > 0).map(([count, words]) => `${count} ${words}`);
  return told.length === 0 ? 'no dead letter fits' : told.join('\n');
}
