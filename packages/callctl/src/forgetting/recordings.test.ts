import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { countOf, forgetRecordings, isForgotten, twilioText } from './recordings.ts';

const never = new AbortController().signal;
const callSid = `CA${'1'.repeat(32)}`;
const [first, second] = [`RE${'a'.repeat(32)}`, `RE${'b'.repeat(32)}`];
const accountSid = `AC${'2'.repeat(32)}`;
const BASE = `/2010-04-01/Accounts/${accountSid}`;
let server: Server | undefined;
afterEach(
  () => new Promise<void>((resolve) => (server === undefined ? resolve() : void server.close(() => resolve()))),
);

type Answer = { readonly status: number; readonly body?: string; readonly location?: string };

/** A Twilio that gives these answers by `<method> <path>`, and what it was asked. */
async function twilioWith(answers: Readonly<Record<string, Answer>>) {
  const asked: string[] = [];
  const keys = new Set<string | undefined>();
  server = createServer((request, response) => {
    const place = `${request.method} ${request.url?.split('?')[0]?.slice(BASE.length)}`;
    asked.push(place);
    keys.add(request.headers.authorization);
    const { status, body = '', location } = answers[place] ?? { status: 500 };
    response.writeHead(status, { connection: 'close', ...(location === undefined ? {} : { location }) }).end(body);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // Bound to a port, so it is an address and no pipe.
  const account = { baseUrl: `http://127.0.0.1:${port}`, accountSid, apiKeySid: 'SK1', apiKeySecret: 'secret' };
  return { account, asked, keys };
}

const LIST = `GET /Calls/${callSid}/Recordings.json`;
const listOf = (...sids: readonly string[]): Answer => ({
  status: 200,
  body: JSON.stringify({ recordings: sids.map((sid) => ({ sid })) }),
});

test('every recording of the call is deleted, one that is gone already too', async () => {
  const { account, asked, keys } = await twilioWith({
    [LIST]: listOf(first, second),
    [`DELETE /Recordings/${first}.json`]: { status: 204 },
    [`DELETE /Recordings/${second}.json`]: { status: 404 },
  });
  expect(await forgetRecordings(account, callSid, never)).toEqual({ kind: 'deleted', count: 2 });
  expect(asked).toEqual([LIST, `DELETE /Recordings/${first}.json`, `DELETE /Recordings/${second}.json`]);
  expect([...keys]).toEqual([`Basic ${Buffer.from('SK1:secret').toString('base64')}`]);
});

test('a call that Twilio does not list has no recordings there, and that is said', async () => {
  const { account } = await twilioWith({ [LIST]: { status: 404, body: '{"code":20404}' } });
  const found = await forgetRecordings(account, callSid, never);
  expect({ ok: isForgotten(found), count: countOf(found) }).toEqual({ ok: true, count: 0 });
  expect(twilioText(found)).toBe('Twilio does not know the call, so no recording of it is there');
});

test.each<[string, Readonly<Record<string, Answer>>, string]>([
  ['the key is refused', { [LIST]: { status: 401 } }, 'check TWILIO_API_KEY_SID'],
  [
    'the key may not delete',
    { [LIST]: listOf(first), [`DELETE /Recordings/${first}.json`]: { status: 403 } },
    'answered 403',
  ],
  ['it is overloaded', { [LIST]: { status: 503 } }, 'answered 503'],
  ['its list is none', { [LIST]: { status: 200, body: '<html>' } }, 'no list of recordings'],
  ['a row names something else', { [LIST]: listOf('../Calls/CA1') }, 'no list of recordings'],
  ['it leads elsewhere', { [LIST]: { status: 302, location: 'http://127.0.0.1:9/' } }, 'could not be reached'],
])('when %s nothing is taken for deleted, and the operator is told', async (_what, answers, words) => {
  const { account, asked } = await twilioWith(answers);
  const found = await forgetRecordings(account, callSid, never);
  expect(found).toEqual({ kind: 'failed', why: expect.stringContaining(words) });
  expect(twilioText(found)).toContain('were NOT deleted: Twilio');
  expect(asked.every((place) => place === LIST || place.startsWith('DELETE /Recordings/RE'))).toBe(true);
});
