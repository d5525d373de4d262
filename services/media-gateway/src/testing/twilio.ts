import twilio from 'twilio';
import { ACCOUNT_SID, CALL_SID, STREAM_SID } from './examples.ts';

/** Twilio as the tests play it. */

export const AUTH_TOKEN = 'a'.repeat(32);
export const OLD_AUTH_TOKEN = 'b'.repeat(32);
export const PUBLIC_BASE_URL = 'https://gateway.test';
export const MEDIA_URL = 'wss://gateway.test/twilio/media';

export type Pairs = readonly (readonly [string, string])[];

export const voiceForm: Pairs = [
  ['AccountSid', ACCOUNT_SID],
  ['ApiVersion', '2010-04-01'],
  ['CallSid', CALL_SID],
  ['CallStatus', 'ringing'],
  ['Direction', 'inbound'],
  ['From', '+15551230000'],
  ['To', '+972501234567'],
];

/** The form with some values replaced, added or (`null`) left out. */
export function changed(form: Pairs, changes: Readonly<Record<string, string | null>>): Pairs {
  const kept = form.filter(([key]) => !Object.hasOwn(changes, key));
  const added = Object.entries(changes).flatMap(([key, value]) => (value === null ? [] : [[key, value] as const]));
  return [...kept, ...added];
}

/** The signature of a request over its URL and pairs, repeated keys as Twilio treats them. */
export function signatureOf(url: string, form: Pairs = [], token: string = AUTH_TOKEN): string {
  const fields = new Map<string, string[]>();
  for (const [key, value] of form) fields.set(key, [...(fields.get(key) ?? []), value]);
  const signed = Object.fromEntries(
    [...fields].map(([key, values]) => [key, values.length === 1 ? values[0] : values]),
  );
  return twilio.getExpectedTwilioSignature(token, url, signed);
}

export function bodyOf(form: Pairs): string {
  return new URLSearchParams(form.map(([key, value]): [string, string] => [key, value])).toString();
}

/** A request for `app.inject`, signed as asked. */
export function formRequest(
  path: string,
  form: Pairs,
  options: { signature?: string | null; contentType?: string; body?: string } = {},
) {
  const signature =
    options.signature === undefined ? signatureOf(`${PUBLIC_BASE_URL}${path}`, form) : options.signature;
  return {
    method: 'POST',
    url: path,
    headers: {
      'content-type': options.contentType ?? 'application/x-www-form-urlencoded; charset=UTF-8',
      ...(signature === null ? {} : { 'x-twilio-signature': signature }),
    },
    payload: options.body ?? bodyOf(form),
  } as const;
}

/** The frames of a media stream. */
export const frames = {
  connected: { event: 'connected', protocol: 'Call', version: '1.0.0' },
  start: (token: string, changes: object = {}) => ({
    event: 'start',
    sequenceNumber: '1',
    streamSid: STREAM_SID,
    start: {
      accountSid: ACCOUNT_SID,
      streamSid: STREAM_SID,
      callSid: CALL_SID,
      tracks: ['inbound'],
      mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8_000, channels: 1 },
      customParameters: { token },
      ...changes,
    },
  }),
  media: (sequence: number, payload: string) => ({
    event: 'media',
    sequenceNumber: String(sequence),
    streamSid: STREAM_SID,
    media: { track: 'inbound', chunk: String(sequence), timestamp: String(sequence * 20), payload },
  }),
  mark: (sequence: number, name: string) => ({
    event: 'mark',
    sequenceNumber: String(sequence),
    streamSid: STREAM_SID,
    mark: { name },
  }),
  stop: (sequence: number) => ({
    event: 'stop',
    sequenceNumber: String(sequence),
    streamSid: STREAM_SID,
    stop: { accountSid: ACCOUNT_SID, callSid: CALL_SID },
  }),
};
