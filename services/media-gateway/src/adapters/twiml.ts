import twilio from 'twilio';
import type VoiceResponse from 'twilio/lib/twiml/VoiceResponse.js';
import type { Answer } from '../answer-call.ts';
import { spoken, type Notice } from './spoken-notices.ts';

/** Where Twilio goes on, absolute. `media` is the `wss:` URL whose handshake Twilio will sign, letter by letter. */
export type TwilioUrls = { readonly media: string; readonly afterStream: string };

/**
 * Twilio asks a TwiML URL once. A caller who waits to hear what happened is not hung up on because the process that is asked goes
 * away at that moment: the fragment, neither sent nor signed, allows two more tries, whatever went wrong (connection overrides).
 */
const TRIED_AGAIN = '#rc=2&rp=all';

/** An answer in Twilio's language. */
export function twimlOf(
  answer: Answer,
  call: { readonly direction: 'inbound' | 'outbound' },
  urls: TwilioUrls,
): string {
  const response = new twilio.twiml.VoiceResponse();
  switch (answer.kind) {
    case 'connected':
      response.start().recording({ channels: 'dual', track: 'both', trim: 'do-not-trim' });
      // A query string would be dropped on the way (error 31920), so the token travels as a parameter.
      response.connect().stream({ url: urls.media }).parameter({ name: 'token', value: answer.token });
      // Whoever ended the stream: a caller who hangs up goes nowhere.
      response.redirect({ method: 'POST' }, `${urls.afterStream}${TRIED_AGAIN}`);
      return response.toString();
    case 'busy':
      // Only a call that still rings can be rejected; an outbound one was answered by the other side.
      if (call.direction === 'inbound') response.reject({ reason: 'busy' });
      else response.hangup();
      return response.toString();
    case 'unknown_number':
      return noticeTwiml('not_in_service', null);
    case 'unavailable':
      return noticeTwiml('cannot_answer', null);
    case 'repeated':
      return hangUpTwiml();
  }
}

/** Twilio says why, and hangs up. `language` is the business's, `null` when it is not known. */
export function noticeTwiml(notice: Notice, language: string | null): string {
  const { text, voice, ...spokenIn } = spoken(notice, language);
  const response = new twilio.twiml.VoiceResponse();
  // The library's list of voices ends where its version does, Twilio's does not.
  response.say({ ...spokenIn, ...(voice === undefined ? {} : { voice }) } as VoiceResponse.SayAttributes, text);
  response.hangup();
  return response.toString();
}

export function hangUpTwiml(): string {
  const response = new twilio.twiml.VoiceResponse();
  response.hangup();
  return response.toString();
}
