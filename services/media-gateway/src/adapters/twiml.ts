import twilio from 'twilio';
import type { Answer } from '../answer-call.ts';

/** Nothing of it is the business's: it is said when there is none, or none that we can read. */
const NOT_IN_SERVICE = 'The number you have dialled is not in service. Goodbye.';
const TRY_AGAIN = 'We are sorry, we cannot take your call right now. Please try again in a few minutes. Goodbye.';

/** An answer in Twilio's language. `mediaUrl` is the `wss:` URL whose handshake Twilio will sign, letter by letter. */
export function twimlOf(
  answer: Answer,
  call: { readonly direction: 'inbound' | 'outbound' },
  mediaUrl: string,
): string {
  const response = new twilio.twiml.VoiceResponse();
  switch (answer.kind) {
    case 'connected':
      response.start().recording({ channels: 'dual', track: 'both', trim: 'do-not-trim' });
      // A query string would be dropped on the way (error 31920), so the token travels as a parameter.
      response.connect().stream({ url: mediaUrl }).parameter({ name: 'token', value: answer.token });
      response.hangup();
      break;
    case 'busy':
      // Only a call that still rings can be rejected; an outbound one was answered by the other side.
      if (call.direction === 'inbound') response.reject({ reason: 'busy' });
      else response.hangup();
      break;
    case 'unknown_number':
      response.say(NOT_IN_SERVICE);
      response.hangup();
      break;
    case 'unavailable':
      response.say(TRY_AGAIN);
      response.hangup();
      break;
    case 'repeated':
      response.hangup();
  }
  return response.toString();
}
