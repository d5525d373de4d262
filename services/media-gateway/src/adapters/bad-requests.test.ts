import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { business, CALL_SID } from '../testing/examples.ts';
import { listeningGateway, type ListeningGateway, type TestAnswer } from '../testing/listening.ts';
import { bodyOf, changed, PUBLIC_BASE_URL, signatureOf, voiceForm, type Pairs } from '../testing/twilio.ts';

/** Bad inputs B1 to B24: whatever is posted to the real server over real sockets. */

const VOICE_URL = `${PUBLIC_BASE_URL}/twilio/voice`;
const FORM_TYPE = 'application/x-www-form-urlencoded';
const GENERIC = '{"error":"refused"}';
const statusForm = (changes: Record<string, string | null> = {}): Pairs =>
  changed(voiceForm, { CallStatus: 'completed', ...changes });

let gateway: ListeningGateway;
beforeEach(async () => {
  gateway = await listeningGateway();
});
afterEach(() => gateway.close());

type Options = Parameters<ListeningGateway['post']>[1];

/** Refused in one voice, counted, nothing begun, nothing published, and the next genuine call is answered. */
async function expectRefused(form: Pairs, options: Options, status: number, reason: string): Promise<void> {
  const answer = await gateway.post(form, options);
  expect([answer.status, answer.body]).toEqual([status, GENERIC]);
  expect(answer.headers.get('x-powered-by')).toBeNull();
  await expectUnharmed(reason);
}

async function expectUnharmed(reason: string): Promise<void> {
  expect([...new Set(gateway.rejected)]).toEqual([reason]);
  expect([gateway.activeCalls(), gateway.broker.events, gateway.agent.sessions]).toEqual([0, [], []]);
  expect((await gateway.post(voiceForm)).body).toContain('<Stream');
}

/** A raw request with a genuine signature over `form`. */
function rawPost(form: Pairs, headers: readonly string[], body: string = bodyOf(form), method = 'POST'): string {
  return [
    `${method} /twilio/voice HTTP/1.1`,
    'Host: gateway.test',
    'Connection: close',
    `X-Twilio-Signature: ${signatureOf(VOICE_URL, form)}`,
    ...headers,
    '',
    body,
  ].join('\r\n');
}

describe('a request that Twilio did not sign like this is refused', () => {
  const escaped = bodyOf(voiceForm);
  const over = (url: string, token?: string): Options => ({ signature: signatureOf(url, voiceForm, token) });
  const vectors: [string, Options][] = [
    ['B1: no signature', { signature: null }],
    ['B1: an empty signature', { signature: '' }],
    ['B2: a wrong signature', { signature: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }],
    ['B2: a signature of the wrong form', { signature: 'x'.repeat(2_000) }],
    ['B2: the signature of a foreign token', over(VOICE_URL, 'c'.repeat(32))],
    ['B2: a value changed after signing', { body: escaped.replace('ringing', 'queued') }],
    ['B2: a key added after signing', { body: `${escaped}&Extra=1` }],
    ['B2: a key removed after signing', { body: escaped.replace('ApiVersion=2010-04-01&', '') }],
    ['B3: signed for another path', over(`${PUBLIC_BASE_URL}/twilio/status`)],
    ['B3: signed for another host', over('https://other.test/twilio/voice')],
    ['B3: signed for another port', over(`${PUBLIC_BASE_URL}:8443/twilio/voice`)],
    ['B3: signed for http', over('http://gateway.test/twilio/voice')],
    ['B3: signed for wss', over('wss://gateway.test/twilio/voice')],
    ['B3: signed with a slash', over(`${VOICE_URL}/`)],
    ['B3: signed with a query', over(`${VOICE_URL}?a=1`)],
    ['B4: signed with an empty token', over(VOICE_URL, '')],
  ];
  it.each(vectors)('%s', async (_name, options) => {
    await expectRefused(voiceForm, options, 403, 'signature');
  });

  it('B3: a query that was not signed', async () => {
    const signature = signatureOf(VOICE_URL, voiceForm);
    const answer = await gateway.post(voiceForm, { signature }, '/twilio/voice?a=1');
    expect([answer.status, answer.body]).toEqual([403, GENERIC]);
    await expectUnharmed('signature');
  });

  it('B23: forged X-Forwarded-Host and X-Forwarded-Proto, single and in lists, decide nothing', async () => {
    const forged = signatureOf('https://evil.test/twilio/voice', voiceForm);
    for (const host of ['evil.test', 'evil.test, gateway.test', 'gateway.test, evil.test']) {
      const lines = [
        'POST /twilio/voice HTTP/1.1',
        `Host: ${host.split(',')[0]}`,
        'Connection: close',
        `X-Forwarded-Host: ${host}`,
        'X-Forwarded-Proto: https, http',
        'Forwarded: host=evil.test;proto=https',
        `Content-Type: ${FORM_TYPE}`,
        `Content-Length: ${escaped.length}`,
        `X-Twilio-Signature: ${forged}`,
      ];
      expect(await gateway.exchange(`${lines.join('\r\n')}\r\n\r\n${escaped}`)).toMatch(/^HTTP\/1\.1 403 /);
    }
    await expectUnharmed('signature');
  });

  it('B24: 1,000 forged requests cost a 403 each, and a genuine call is answered among them', async () => {
    const forged = { signature: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' };
    const knock = async (): Promise<TestAnswer[]> => {
      const answers: TestAnswer[] = [];
      for (let times = 0; times < 20; times += 1) answers.push(await gateway.post(voiceForm, forged));
      return answers;
    };
    const flood = Promise.all(Array.from({ length: 50 }, knock));
    const genuine = await gateway.post(voiceForm);
    expect([genuine.status, genuine.body.includes('<Stream')]).toEqual([200, true]);
    const answers = (await flood).flat();
    expect([...new Set(answers.map((answer) => `${answer.status} ${answer.body}`))]).toEqual([`403 ${GENERIC}`]);
    expect(gateway.rejected).toHaveLength(1_000);
    expect([gateway.activeCalls(), gateway.broker.events]).toEqual([1, []]);
  });
});

describe('a signed request of the wrong form is refused', () => {
  const shifted = (key: string, value: string, ...swallowed: string[]): Pairs =>
    changed(voiceForm, { ...Object.fromEntries(swallowed.map((name) => [name, null])), [key]: value });
  const vectors: [string, Pairs][] = [
    ['B5: a key that swallowed its value', changed(voiceForm, { CallStatus: null, CallStatusringing: '' })],
    [
      'B5: a value that swallowed the next pairs',
      shifted('CallStatus', 'ringingDirectioninboundFrom+15551230000', 'Direction', 'From'),
    ],
    [
      'B5: a value that swallowed the last pairs',
      shifted('Direction', 'inboundFrom+15551230000To+972501234567', 'From', 'To'),
    ],
    ['B5: a free text that swallowed the CallSid', shifted('ApiVersion', `2010-04-01CallSid${CALL_SID}`, 'CallSid')],
    [
      'B5: an account cut shorter than it is',
      changed(voiceForm, { AccountSid: 'AC', [`AccountSid${'2'.repeat(32)}`]: '' }),
    ],
    ['B6: an equal value twice, which Twilio signs as one', [...voiceForm, ['CallSid', CALL_SID]]],
    ['B6: two values merged in one', changed(voiceForm, { CallSid: `${CALL_SID}${CALL_SID}` })],
    ['B7: a CallSid twice', [...voiceForm, ['CallSid', `CA${'9'.repeat(32)}`]]],
    ['B7: a status twice', [...voiceForm, ['CallStatus', 'completed']]],
    ['B7: a sender twice', [...voiceForm, ['From', '+15550000000']]],
    ['B8: only the key __proto__', [['__proto__', 'polluted']]],
    [
      'B8: keys that hide in brackets',
      [
        ['constructor[prototype]', 'x'],
        ['AccountSid[]', 'y'],
      ],
    ],
    ['B13: a NUL in the name of the caller', changed(voiceForm, { CallerName: 'Mal\u0000lory' })],
    ['B13: a line break in the name of the caller', changed(voiceForm, { CallerName: 'x\r\nInjected: 1' })],
    ['B14: another account', changed(voiceForm, { AccountSid: `AC${'f'.repeat(32)}` })],
    ['B14: no account', changed(voiceForm, { AccountSid: null })],
    [
      'B14: our account as the parent of another',
      changed(voiceForm, { AccountSid: `AC${'f'.repeat(32)}`, ParentAccountSid: `AC${'2'.repeat(32)}` }),
    ],
    ['B15: a CallSid with another prefix', changed(voiceForm, { CallSid: `SM${'1'.repeat(32)}` })],
    ['B15: a CallSid that is too short', changed(voiceForm, { CallSid: 'CA123' })],
    ['B15: a CallSid that is too long', changed(voiceForm, { CallSid: `${CALL_SID}1` })],
    ['B15: a CallSid in upper case', changed(voiceForm, { CallSid: `CA${'A'.repeat(32)}` })],
    ['B15: a CallSid with a wildcard', changed(voiceForm, { CallSid: 'CA*.>' })],
    ['B16: an unknown status', changed(voiceForm, { CallStatus: 'exploded' })],
    ['B16: a known status in upper case', changed(voiceForm, { CallStatus: 'RINGING' })],
  ];
  it.each(vectors)('%s', async (name, form) => {
    await expectRefused(form, {}, 400, name.startsWith('B13') ? 'request' : 'form');
  });

  it('B16: an unknown status in the status callback', async () => {
    const answer = await gateway.post(statusForm({ CallStatus: 'done' }), {}, '/twilio/status');
    expect([answer.status, answer.body]).toEqual([400, GENERIC]);
    await expectUnharmed('form');
  });

  it('B8: keys like __proto__ beside a genuine form have no power, and the call goes on', async () => {
    const form: Pairs = [...voiceForm, ['__proto__', 'x'], ['constructor[prototype]', 'y'], ['hasOwnProperty', 'z']];
    expect((await gateway.post(form)).body).toContain('<Stream');
    expect([Object.hasOwn(Object.prototype, 'x'), {}.constructor === Object]).toEqual([false, true]);
  });

  it('B9, B10: JSON with __proto__ and plain text', async () => {
    for (const contentType of ['application/json', 'text/plain', 'multipart/form-data; boundary=x', 'text/xml']) {
      const answer = await gateway.post(voiceForm, { contentType, body: '{"__proto__":{"x":1}}' });
      expect([contentType, answer.status, answer.body]).toEqual([contentType, 415, GENERIC]);
    }
    await expectUnharmed('request');
  });

  it('B11: a Content-Type that only looks like another one', async () => {
    const body = '{"CallSid":"x"}';
    for (const type of [
      'application/json\t',
      'APPLICATION/JSON',
      'text/plain\t;charset=utf-8',
      `\t${FORM_TYPE}x`,
      `${FORM_TYPE}/x`,
      `x${FORM_TYPE}`,
    ]) {
      const answer = await gateway.exchange(
        rawPost(voiceForm, [`Content-Type: ${type}`, `Content-Length: ${body.length}`], body),
      );
      expect([type, /^HTTP\/1\.1 (400|415) /.test(answer), answer.endsWith(GENERIC)]).toEqual([type, true, true]);
    }
    const none = await gateway.exchange(rawPost(voiceForm, [`Content-Length: ${body.length}`], body));
    expect(none).toMatch(/^HTTP\/1\.1 415 /);
    await expectUnharmed('request');
  });

  it.each([
    'Application/X-WWW-Form-Urlencoded',
    FORM_TYPE,
    `${FORM_TYPE};\tcharset=utf-8`,
    `${FORM_TYPE} ; charset=UTF-8`,
  ])('B11: a form is a form also as %j', async (type) => {
    const body = bodyOf(voiceForm);
    const answer = await gateway.exchange(
      rawPost(voiceForm, [`Content-Type: ${type}`, `Content-Length: ${body.length}`]),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('B12: a body above 64 kB, with its length or in chunks, is not read', async () => {
    const form: Pairs = [...voiceForm, ['Extra', 'x'.repeat(70_000)]];
    expect((await gateway.post(form)).status).toBe(413);
    const body = bodyOf(form);
    const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    const answer = await gateway.exchange(
      rawPost(form, [`Content-Type: ${FORM_TYPE}`, 'Transfer-Encoding: chunked'], chunked),
    );
    expect([answer.startsWith('HTTP/1.1 413 '), answer.endsWith(GENERIC)]).toEqual([true, true]);
    await expectUnharmed('request');
  });

  it('B12: 10,000 keys are refused', async () => {
    await expectRefused(
      [...voiceForm, ...Array.from({ length: 10_000 }, () => ['a', ''] as const)],
      {},
      413,
      'request',
    );
  });

  it.each([
    ['a broken escape', '%E0%A4%A'],
    ['half an escape', '%'],
    ['a lone surrogate', '%ED%A0%80'],
    ['bytes that are no UTF-8', '%C3%28'],
  ])('B13: %s, whatever was signed', async (_name, text) => {
    const body = `${bodyOf(voiceForm)}&CallerName=${text}`;
    await expectRefused([...voiceForm, ['CallerName', '\ufffd']], { body }, 400, 'request');
  });
});

describe('what HTTP does not allow is refused', () => {
  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'BREW'])('B22: %s', async (method) => {
    const answer = await gateway.exchange(rawPost([], ['Content-Length: 0'], '', method));
    expect(answer).toMatch(/^HTTP\/1\.1 (400|404) /);
    expect(method === 'HEAD' || answer.endsWith(GENERIC)).toBe(true);
    await expectUnharmed(answer.startsWith('HTTP/1.1 404') ? 'path' : 'http');
  });

  it('B22: a length and chunks together, two lengths, a negative length', async () => {
    const body = bodyOf(voiceForm);
    for (const headers of [
      [`Content-Length: ${body.length}`, 'Transfer-Encoding: chunked'],
      [`Content-Length: ${body.length}`, 'Content-Length: 5'],
      ['Content-Length: -1'],
    ]) {
      const answer = await gateway.exchange(rawPost(voiceForm, [`Content-Type: ${FORM_TYPE}`, ...headers]));
      expect([headers, answer.startsWith('HTTP/1.1 400 '), answer.endsWith(GENERIC)]).toEqual([headers, true, true]);
    }
    await expectUnharmed('http');
  });

  it('B22: a path that is none, and headers without an end', async () => {
    for (const path of ['/twilio/voice/', '/twilio/%zz', '/', '//twilio/voice', '/twilio/../twilio/voice']) {
      const answer = await gateway.exchange(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect([path, /^HTTP\/1\.1 (400|404) /.test(answer), answer.endsWith(GENERIC)]).toEqual([path, true, true]);
    }
    const large = await gateway.exchange(`GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect([large.startsWith('HTTP/1.1 431 '), large.endsWith(GENERIC)]).toEqual([true, true]);
  });
});

describe('odd values of a genuine request are kept raw or passed over, and the call goes on', () => {
  it.each(['', '-1', '1e9', 'NaN', '5.5'])(
    'B17: CallDuration %j changes nothing: our own clock counts',
    async (CallDuration) => {
      await gateway.post(voiceForm);
      const answer = await gateway.post(statusForm({ CallDuration }), {}, '/twilio/status');
      expect(answer.status).toBe(204);
      expect(gateway.broker.events.map(({ data }) => data.call.durationSec)).toEqual([0]);
    },
  );

  it('B18, B19: a recording URL of another host or a recording of another call is neither fetched nor passed on', async () => {
    const fetched: unknown[] = [];
    const elsewhere = createServer((request) => void fetched.push(request.url)).listen(0, '127.0.0.1');
    await once(elsewhere, 'listening');
    const { port } = elsewhere.address() as AddressInfo; // listening on TCP
    const urls = [
      `http://127.0.0.1:${port}/x`,
      'file:///etc/passwd',
      'http://169.254.169.254/',
      `https://api.twilio.com@127.0.0.1:${port}/`,
    ];
    for (const [index, RecordingUrl] of urls.entries()) {
      const CallSid = `CA${String(index).repeat(32)}`;
      gateway.settings = { ...business, max_concurrent_calls: 10 };
      await gateway.post(changed(voiceForm, { CallSid }));
      const form = statusForm({ CallSid, RecordingUrl, RecordingSid: `RE${'7'.repeat(32)}` });
      expect((await gateway.post(form, {}, '/twilio/status')).status).toBe(204);
    }
    expect(gateway.broker.events).toHaveLength(urls.length);
    expect(JSON.stringify(gateway.broker.events)).not.toMatch(/RE7|passwd|169\.254|127\.0\.0\.1/);
    expect(fetched).toEqual([]);
    elsewhere.close();
  });

  it.each(['anonymous', '+266696687', 'sip:me@host', 'x'.repeat(300)])(
    'B20: From %j is kept as it came',
    async (From) => {
      expect((await gateway.post(changed(voiceForm, { From }))).body).toContain('<Stream');
      await gateway.post(statusForm({ From }), {}, '/twilio/status');
      expect(gateway.broker.events.map(({ data }) => data.call.from)).toEqual([From]);
    },
  );

  it('B13: direction marks in the name of the caller reach neither the log nor the event', async () => {
    const CallerName = '\u202EevilName\u2066';
    expect((await gateway.post(changed(voiceForm, { CallerName }))).body).toContain('<Stream');
    await gateway.post(statusForm({ CallerName }), {}, '/twilio/status');
    expect(JSON.stringify([gateway.broker.events, gateway.lines])).not.toContain('evilName');
    expect(gateway.broker.events).toHaveLength(1);
  });

  it('B21: genuine requests that come again a day later start and publish nothing', async () => {
    await gateway.post(voiceForm);
    await gateway.post(statusForm(), {}, '/twilio/status');
    await expect.poll(() => gateway.ended).toHaveLength(1);
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    try {
      vi.advanceTimersByTime(24 * 3_600_000);
      const answer = await gateway.post(voiceForm);
      expect([answer.status, answer.body.replace(/^<\?.*?\?>/, '')]).toEqual([200, '<Response><Hangup/></Response>']);
      expect((await gateway.post(statusForm(), {}, '/twilio/status')).status).toBe(204);
    } finally {
      vi.useRealTimers();
    }
    expect([gateway.activeCalls(), gateway.broker.events.length, gateway.rejected]).toEqual([0, 1, ['repeated']]);
  });
});
