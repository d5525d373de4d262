import type { OpenLetter } from '@pipeline/messaging';
import { callOf, lettersOf } from '../dead/search.ts';
import { letterJson, letterText } from '../dead/text.ts';
import { withLetters } from '../dead/with-letters.ts';
import { CommandError, type Verb } from '../verb.ts';

/** Shows the dead letters of a call. Their bytes hold what callers said, so they are shown only when asked for. */
export const deadShow: Verb = {
  name: 'dead show',
  summary: 'show the dead letters of a call: who set it aside, why, and whether this version reads it',
  arguments: ['<callSid>'],
  options: { body: { summary: 'also the original bytes, which may hold what was said' } },
  run: async (context) => {
    const callSid = callOf(context.arguments[0]);
    const withBody = context.options['body'] === true;
    return withLetters(context, async (letters) => {
      const found: OpenLetter[] = [];
      for (const { seq } of await lettersOf(letters, callSid, context.signal)) {
        const letter = await letters.open(seq);
        if (letter !== null) found.push(letter);
      }
      if (found.length === 0) throw new CommandError(`there is no dead letter of call ${callSid}`);
      const json = { callSid, letters: found.map((letter) => letterJson(letter, withBody)) };
      return { json, text: found.map((letter) => letterText(letter, context.isTerminal, withBody)).join('\n\n') };
    });
  },
};
