import { callOf, lettersOf } from '../dead/search.ts';
import { withLetters } from '../dead/with-letters.ts';
import { CommandError, type Verb } from '../verb.ts';

/** Removes the dead letters of a call that nobody will replay, so that the alarm on dead letters ends. */
export const deadRemove: Verb = {
  name: 'dead remove',
  summary: 'remove the dead letters of a call for good: what they hold is no event, or is not wanted any more',
  arguments: ['<callSid>'],
  options: {},
  run: async (context) => {
    const callSid = callOf(context.arguments[0]);
    return withLetters(context, async (letters) => {
      let removed = 0;
      for (const { seq } of await lettersOf(letters, callSid, context.signal)) {
        if (await letters.remove(seq)) removed += 1;
      }
      if (removed === 0) throw new CommandError(`there is no dead letter of call ${callSid}`);
      return { json: { callSid, removed }, text: `${removed} dead letters of call ${callSid} removed` };
    });
  },
};
