import type { Verb } from '../verb.ts';
import { markText, readMark, withMark } from '../watermark.ts';

/** Shows how far the reconciler has looked. */
export const watermarkShow: Verb = {
  name: 'watermark show',
  summary: 'show from where on the next run of reconciler asks Twilio for ended calls',
  arguments: [],
  options: {},
  run: (context) =>
    withMark(context, async (marks) => {
      const mark = await readMark(marks);
      return { json: mark ?? { endedAt: null }, text: markText(mark) };
    }),
};
