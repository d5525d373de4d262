import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestGateway, type TestGateway } from '../testing/gateway.ts';
import { business, CALL_SID } from '../testing/examples.ts';
import {
  bodyOf,
  changed,
  formRequest,
  MEDIA_URL,
  OLD_AUTH_TOKEN,
  PUBLIC_BASE_URL,
  signatureOf,
  voiceForm,
  type Pairs,
} from '../testing/twilio.ts';

const VOICE = '/twilio/voice';
const VOICE_URL = `${PUBLIC_BASE_URL}${VOICE}`;

let gateway: TestGateway;
beforeEach(async () => {
  gateway = await createTestGateway();
});
afterEach(() => gateway.app.close());

const post = (form: Pairs, options?: Parameters<typeof formRequest>[2], path = VOICE) =>
  gateway.app.inject(formRequest(path, form, options));
const ring = (digit: string) => post(changed(voiceForm, { CallSid: `CA${digit.repeat(32)}` }));
const without = (key: string, value: string | null) => changed(voiceForm, { [key]: value });

describe('the voice webhook', () => {
  it('answers with a dual recording, the stream with its token, and a hang-up behind it', async () => {
    const answer = await post(voiceForm);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toContain('text/xml');
    expect(answer.body.replace(/value="[\w-]{43}"/, 'value="TOKEN"')).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><Response>' +
        '<Start><Recording channels="dual" track="both" trim="do-not-trim"/></Start>' +
        `<Connect><Stream url="${MEDIA_URL}"><Parameter name="token" value="TOKEN"/></Stream></Connect>` +
        '<Hangup/></Response>',
    );
    expect(gateway.activeCalls()).toBe(1);
  });

  it('accepts either token while they rotate', async () => {
    const answer = await post(voiceForm, { signature: signatureOf(VOICE_URL, voiceForm, OLD_AUTH_TOKEN) });
    expect(answer.statusCode).toBe(200);
  });

  it('accepts fields that it does not know and odd values of those that it does not judge', async () => {
    for (const [index, From] of ['anonymous', 'sip:me@host', '+266696687', 'x'.repeat(300), ''].entries()) {
      const form = changed(voiceForm, {
        CallSid: `CA${String(index).repeat(32)}`,
        From,
        CallerName: '\u202Eevil\u0000\r\n',
        Brand: '%%%',
      });
      expect((await post(form)).statusCode).toBe(200);
      gateway.settings = { ...business, max_concurrent_calls: 10 };
    }
  });

  it.each([
    'Application/X-WWW-Form-Urlencoded',
    'application/x-www-form-urlencoded',
    'application/x-www-form-urlencoded;\tcharset=utf-8',
  ])('reads a form sent as %j', async (contentType) => {
    expect((await post(voiceForm, { contentType })).statusCode).toBe(200);
  });

  it('answers a repeated request of a call that waits with a new token and starts no second call', async () => {
    const [first, second] = [await post(voiceForm), await post(voiceForm)];
    expect(second.body).toContain('<Stream');
    expect(second.body).not.toBe(first.body);
    expect(gateway.activeCalls()).toBe(1);
  });

  it('says that a number is not in service and publishes nothing', async () => {
    gateway.settings = null;
    const answer = await post(voiceForm);
    expect(answer.body).toMatch(/<Say>.+<\/Say><Hangup\/>/);
    expect(gateway.rejected).toEqual(['unknown_number']);
    expect([gateway.activeCalls(), gateway.broker.events.length]).toEqual([0, 0]);
  });

  it('finds the business of an outbound call by the number that calls', async () => {
    const form = changed(voiceForm, { Direction: 'outbound-api', From: '+972501234567', To: '+15551230000' });
    expect((await post(form)).body).toContain('<Stream');
    const anonymous = changed(form, { From: 'anonymous', CallSid: `CA${'9'.repeat(32)}` });
    expect((await post(anonymous)).body).toContain('<Say>');
  });

  it('apologises when settings cannot be read, and uses the last good copy when it has one', async () => {
    gateway.settings = new Error('the database is down');
    expect((await post(voiceForm)).body).toContain('<Say>We are sorry');
    gateway.settings = business;
    await post(voiceForm);
    gateway.settings = new Error('the database is down');
    expect((await post(changed(voiceForm, { CallSid: `CA${'8'.repeat(32)}` }))).body).toContain('<Stream');
  });

  it('gives a busy tone to a business above its limit, when this process is full, and when it stops', async () => {
    await Promise.all([ring('4'), ring('5')]);
    expect((await ring('6')).body).toContain('<Reject reason="busy"/>');
    expect(gateway.activeCalls()).toBe(2);

    const full = await createTestGateway({ config: { MAX_CALLS: 0 } });
    expect((await full.app.inject(formRequest(VOICE, voiceForm))).body).toContain('<Reject reason="busy"/>');
    await full.app.close();

    gateway.stop();
    gateway.settings = { ...business, id: 'biz_2' };
    expect((await ring('7')).body).toContain('<Reject reason="busy"/>');
  });
});

describe('a request that Twilio did not sign like this', () => {
  const escaped = bodyOf(voiceForm);
  const vectors: [string, Pairs, Parameters<typeof formRequest>[2], string?][] = [
    ['has no signature', voiceForm, { signature: null }],
    ['has an empty signature', voiceForm, { signature: '' }],
    ['has a wrong signature', voiceForm, { signature: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }],
    ['was signed with an empty token', voiceForm, { signature: signatureOf(VOICE_URL, voiceForm, '') }],
    ['was signed with a foreign token', voiceForm, { signature: signatureOf(VOICE_URL, voiceForm, 'c'.repeat(32)) }],
    [
      'was signed for another path',
      voiceForm,
      { signature: signatureOf(`${PUBLIC_BASE_URL}/twilio/status`, voiceForm) },
    ],
    [
      'was signed for another host',
      voiceForm,
      { signature: signatureOf('https://other.test/twilio/voice', voiceForm) },
    ],
    [
      'was signed for another port',
      voiceForm,
      { signature: signatureOf(`${PUBLIC_BASE_URL}:8443${VOICE}`, voiceForm) },
    ],
    ['was signed for http', voiceForm, { signature: signatureOf('http://gateway.test/twilio/voice', voiceForm) }],
    ['was signed for wss', voiceForm, { signature: signatureOf('wss://gateway.test/twilio/voice', voiceForm) }],
    ['was signed with a slash', voiceForm, { signature: signatureOf(`${VOICE_URL}/`, voiceForm) }],
    ['was signed with a query', voiceForm, { signature: signatureOf(`${VOICE_URL}?a=1`, voiceForm) }],
    [
      'carries a query beside its signature',
      voiceForm,
      { signature: signatureOf(VOICE_URL, voiceForm) },
      `${VOICE}?a=1`,
    ],
    ['carries another value', voiceForm, { body: escaped.replace('ringing', 'queued') }],
    ['carries another key', voiceForm, { body: `${escaped}&Extra=1` }],
    ['carries a key less', voiceForm, { body: escaped.replace('ApiVersion=2010-04-01&', '') }],
  ];
  it.each(vectors)('is refused when it %s', async (_name, form, options, path) => {
    const answer = await post(form, options, path);
    expect([answer.statusCode, answer.body]).toEqual([403, '{"error":"refused"}']);
    expect(gateway.rejected).toEqual(['signature']);
    expect(gateway.activeCalls()).toBe(0);
  });

  it('is refused whatever a proxy header claims', async () => {
    const signature = signatureOf('https://evil.test/twilio/voice', voiceForm);
    const request = formRequest(VOICE, voiceForm, { signature });
    const headers = {
      ...request.headers,
      host: 'evil.test',
      'x-forwarded-host': 'evil.test',
      'x-forwarded-proto': 'https',
    };
    expect((await gateway.app.inject({ ...request, headers })).statusCode).toBe(403);
  });
});

describe('a signed request of the wrong form', () => {
  const vectors: [string, Pairs][] = [
    ['another account', without('AccountSid', `AC${'f'.repeat(32)}`)],
    ['no account', without('AccountSid', null)],
    ['a CallSid in upper case', without('CallSid', CALL_SID.replaceAll('1', 'A'))],
    ['a CallSid of another kind', without('CallSid', `SM${'1'.repeat(32)}`)],
    ['a CallSid that is too short', without('CallSid', 'CA123')],
    ['a CallSid with a wildcard', without('CallSid', 'CA*.>')],
    ['an unknown status', without('CallStatus', 'exploded')],
    ['an unknown direction', without('Direction', 'sideways')],
    ['a sender of 600 characters', without('From', 'x'.repeat(600))],
    ['a CallSid twice', [...voiceForm, ['CallSid', `CA${'9'.repeat(32)}`]]],
    [
      'a value that swallowed the next keys',
      [...changed(voiceForm, { From: null, To: null, CallStatus: 'ringingFrom+15551230000To+972501234567' })],
    ],
    ['a key that swallowed its value', changed(voiceForm, { CallStatus: null, CallStatusringing: '' })],
    ['only the key __proto__', [['__proto__', 'polluted']]],
    ['nothing at all', []],
  ];
  it.each(vectors)('is refused: %s', async (_name, form) => {
    const answer = await post(form);
    expect([answer.statusCode, answer.body]).toEqual([400, '{"error":"refused"}']);
    expect(gateway.rejected).toEqual(['form']);
    expect([gateway.activeCalls(), gateway.broker.events.length]).toEqual([0, 0]);
  });

  it('gives keys like __proto__ no power', async () => {
    const form: Pairs = [...voiceForm, ['__proto__', 'x'], ['constructor[prototype]', 'y'], ['hasOwnProperty', 'z']];
    expect((await post(form)).statusCode).toBe(200);
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });

  it.each([
    ['text/plain', 415],
    ['application/json', 415],
    ['multipart/form-data; boundary=x', 415],
  ])('is refused as %s', async (contentType, status) => {
    const answer = await post(voiceForm, { contentType, body: '{"__proto__":{"x":1}}' });
    expect([answer.statusCode, answer.body]).toEqual([status, '{"error":"refused"}']);
  });

  it('is refused when it is larger than 64 kB, and survives 10,000 keys', async () => {
    const large = await post([...voiceForm, ['Extra', 'x'.repeat(70_000)]]);
    expect(large.statusCode).toBe(413);
    const many = await post([...voiceForm, ...Array.from({ length: 9_000 }, () => ['a', ''] as const)]);
    expect(many.statusCode).toBe(200);
  });

  it('is refused by other methods and paths with the same words', async () => {
    for (const [method, url] of [
      ['GET', VOICE],
      ['HEAD', VOICE],
      ['PUT', VOICE],
      ['POST', '/twilio/voice/'],
      ['POST', '/'],
      ['GET', '/twilio/../etc/passwd'],
    ] as const) {
      const answer = await gateway.app.inject({ method, url });
      expect(answer.statusCode).toBe(404);
      expect(['', '{"error":"refused"}']).toContain(answer.body);
      expect(answer.headers['x-powered-by']).toBeUndefined();
    }
  });
});
