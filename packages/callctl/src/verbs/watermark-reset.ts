import { RECONCILER_MARK } from '@pipeline/contracts';
import type { Verb } from '../verb.ts';
import { markText, readMark, withMark } from '../watermark.ts';

/** Forgets the watermark: the next run looks back as the very first one did. */
export const watermarkReset: Verb = {
  name: 'watermark reset',
  summary: 'let the next run of reconciler look back as the first one did, 4 days by default',
  arguments: [],
  options: {},
  run: (context) =>
    withMark(context, async (marks) => {
      const before = await readMark(marks);
      await marks.delete(RECONCILER_MARK);
      return { json: { endedAt: null, before: before?.endedAt ?? null }, text: markText(null) };
    }),
};
