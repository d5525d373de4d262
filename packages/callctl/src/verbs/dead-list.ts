import type { LetterFacts } from '@pipeline/messaging';
import { SEARCH_OPTIONS, searchOf } from '../dead/search.ts';
import { letterLine } from '../dead/text.ts';
import { withLetters } from '../dead/with-letters.ts';
import { UsageError, type Verb } from '../verb.ts';

const MAX_LIMIT = 1_000;

/** Lists what stages set aside, oldest first, page by page. */
export const deadList: Verb = {
  name: 'dead list',
  summary: 'list dead letters: messages that a stage set aside, and why, oldest first',
  arguments: [],
  options: {
    ...SEARCH_OPTIONS,
    limit: { value: '<number>', summary: `show at most so many, up to ${MAX_LIMIT}`, default: '50' },
    after: { value: '<seq>', summary: 'only those behind this one: the next page', default: '0' },
  },
  run: async (context) => {
    const { since, fits } = searchOf(context, Date.now());
    const limit = Number(context.options['limit']);
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
      throw new UsageError(`--limit takes a whole number from 1 to ${MAX_LIMIT}`);
    const after = Number(context.options['after']);
    if (!Number.isSafeInteger(after) || after < 0) throw new UsageError('--after takes the number of a dead letter');
    return withLetters(context, async (letters) => {
      const found: LetterFacts[] = [];
      let hasMore = false;
      for await (const letter of letters.list({ after, ...(since === null ? {} : { since }) }, context.signal)) {
        if (!fits(letter)) continue;
        hasMore = found.length === limit;
        if (hasMore) break;
        found.push(letter);
      }
      const next = hasMore ? (found.at(-1)?.seq ?? null) : null;
      const lines = found.map((letter) => letterLine(letter, context.isTerminal));
      const rest = next === null ? [] : [`and more: --after ${next}`];
      const json = { letters: found.map((one) => ({ ...one, storedAt: new Date(one.storedAt).toISOString() })), next };
      return { json, text: found.length === 0 ? 'no dead letter fits' : [...lines, ...rest].join('\n') };
    });
  },
};
