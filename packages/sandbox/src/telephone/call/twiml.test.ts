import fc from 'fast-check';
import { expect, test } from 'vitest';
import twilio from 'twilio';
import { parseTwiml, TwimlError } from './twiml.ts';

test('reads what this product answers, as made by the public library', () => {
  const response = new twilio.twiml.VoiceResponse();
  response.start().recording({ channels: 'dual', track: 'both', trim: 'do-not-trim' });
  response
    .connect()
    .stream({ url: 'wss://calls.example.com/twilio/media' })
    .parameter({ name: 'token', value: 'a"b&c<d' });
  response.hangup();
  expect(parseTwiml(response.toString())).toEqual([
    { kind: 'record', channels: 2 },
    { kind: 'stream', url: 'wss://calls.example.com/twilio/media', parameters: { token: 'a"b&c<d' } },
    { kind: 'hang_up' },
  ]);
});

test('reads refusals, words and where to go on', () => {
  const response = new twilio.twiml.VoiceResponse();
  response.say({ language: 'he-IL' }, 'כל הקווים תפוסים & <נסו שוב>');
  response.reject({ reason: 'busy' });
  response.reject();
  response.redirect({ method: 'POST' }, 'https://calls.example.com/next');
  expect(parseTwiml(response.toString())).toEqual([
    { kind: 'say', text: 'כל הקווים תפוסים & <נסו שוב>' },
    { kind: 'reject', reason: 'busy' },
    { kind: 'reject', reason: 'rejected' },
    { kind: 'redirect', url: 'https://calls.example.com/next' },
  ]);
});

test.each([
  ['nothing', ''],
  ['another root', '<html/>'],
  ['two roots', '<Response/><Response/>'],
  ['an open element', '<Response><Hangup></Response>'],
  ['text between verbs', '<Response>hello<Hangup/></Response>'],
  ['an unknown verb', '<Response><Dial>+1</Dial></Response>'],
  ['a bare ampersand', '<Response><Say>a & b</Say></Response>'],
  ['an unknown entity', '<Response><Say>&nbsp;</Say></Response>'],
  ['a stream over ws', '<Response><Connect><Stream url="ws://a.example/x"/></Connect></Response>'],
  ['a stream with a query', '<Response><Connect><Stream url="wss://a.example/x?a=1"/></Connect></Response>'],
  ['a stream without a URL', '<Response><Connect><Stream/></Connect></Response>'],
  ['a redirect to nowhere', '<Response><Redirect>next</Redirect></Response>'],
  ['a redirect by GET', '<Response><Redirect method="GET">https://a.example/</Redirect></Response>'],
  ['two streams', '<Response><Connect><Stream url="wss://a/"/><Stream url="wss://a/"/></Connect></Response>'],
  ['a one-way stream', '<Response><Start><Stream url="wss://a.example/x"/></Start></Response>'],
  ['an action that would be asked', '<Response><Connect action="/x"><Stream url="wss://a/"/></Connect></Response>'],
  ['channels that do not exist', '<Response><Start><Recording channels="five"/></Start></Response>'],
  [
    'a parameter that is too long',
    `<Response><Connect><Stream url="wss://a/"><Parameter name="n" value="${'x'.repeat(499)}"/></Stream></Connect></Response>`,
  ],
])('refuses %s', (_name, xml) => {
  expect(() => parseTwiml(xml)).toThrow(TwimlError);
});

test('any bytes either are TwiML or a TwimlError', () => {
  const part = fc.constantFrom(
    '<',
    '>',
    '/',
    'Response',
    'Say',
    '&',
    'amp;',
    ' a="b"',
    '<!--',
    '-->',
    'x',
    '&#x1F600;',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      const result = parsedOrError(parts.join(''));
      expect(Array.isArray(result) || result instanceof TwimlError).toBe(true);
    }),
  );
});

function parsedOrError(xml: string): unknown {
  try {
    return parseTwiml(xml);
  } catch (error) {
    return error;
  }
}
