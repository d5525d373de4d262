import { LONGEST_LOOKBACK_MS, RECONCILER_MARK } from '@pipeline/contracts';
import { parseMoment } from '../since.ts';
import { CommandError, type Verb } from '../verb.ts';
import { markText, readMark, withMark } from '../watermark.ts';

/** Sets the watermark back, so that the next run of reconciler looks again at what it had passed. */
export const watermarkSet: Verb = {
  name: 'watermark set',
  summary: 'let the next run of reconciler look from a time on: 12h, a day or an instant, at most 30 days ago',
  arguments: ['<time>'],
  options: {},
  run: (context) =>
    withMark(context, async (marks, operator) => {
      // By the broker's clock: what an operator's machine thinks the time is must not move the watermark into the future.
      const now = await operator.time();
      const from = parseMoment('<time>', context.arguments[0] ?? '', new Date(now)).getTime();
      if (from > now) throw new CommandError('a watermark above now would pass calls that nobody has looked at');
      if (from < now - LONGEST_LOOKBACK_MS)
        throw new CommandError(
          'reconciler looks back 30 days at most: beyond that, calls past their retention would come back',
        );
      const before = await readMark(marks);
      const mark = { endedAt: new Date(from).toISOString() };
      await marks.put(RECONCILER_MARK, mark);
      return { json: { ...mark, before: before?.endedAt ?? null }, text: markText(mark) };
    }),
};
