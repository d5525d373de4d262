import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { startTelephone } from '@pipeline/sandbox';
import type { EndedCall } from '../ended-call.ts';
import { createTwilio, type TwilioOptions } from './twilio.ts';

const ACCOUNT = `AC${'1'.repeat(32)}`;
const KEY = { apiKeySid: `SK${'4'.repeat(32)}`, apiKeySecret: 'quite secret' };
const AUTHORIZATION = `Basic ${Buffer.from(`${KEY.apiKeySid}:${KEY.apiKeySecret}`).toString('base64')}`;
const PATH = `/2010-04-01/Accounts/${ACCOUNT}/Calls.json`;
const SINCE = Date.parse('2025-12-09T10:30:00.999Z');
const FIRST = `${PATH}?EndTime%3E=2025-12-09T10%3A30%3A00Z&PageSize=1000`;
const SID = `CA${'2'.repeat(32)}`;
const never = new AbortController().signal;

type Answer = (response: ServerResponse, request: IncomingMessage) => void;
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A server that gives its answers in turn, the last one for ever, and a client of it. */
async function twilioWith(answers: readonly Answer[], more: Partial<TwilioOptions> = {}) {
  const seen: { url: string | undefined; authorization: string | undefined; at: number }[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(seen.length, answers.length - 1)];
    seen.push({ url: request.url, authorization: request.headers.authorization, at: performance.now() });
    answer?.(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // Bound to a port, so it is an address and no pipe.
  const base = { baseUrl: `http://127.0.0.1:${port}`, accountSid: ACCOUNT, pageSize: 1_000, timeoutMs: 5_000 };
  const twilio = createTwilio({ ...base, ...KEY, retryMs: 1, ...more });
  closers.push(async () => {
    server.closeAllConnections();
    await Promise.all([twilio.close(), new Promise((resolve) => server.close(resolve))]);
  });
  const list = async (signal = never, from: string | null = null) => {
    const calls: EndedCall[] = [];
    let unreadable = 0;
    for await (const page of twilio.listEnded(SINCE, from, signal)) {
      calls.push(...page.calls);
      unreadable += page.unreadable;
    }
    return { calls, unreadable };
  };
  return { list, seen, port, twilio };
}

const status =
  (code: number, headers: Record<string, string> = {}, body = ''): Answer =>
  (response) =>
    void response.writeHead(code, headers).end(body);
const page = (rows: readonly unknown[], next: string | null = null): Answer =>
  status(200, {}, JSON.stringify({ calls: rows, next_page_uri: next }));
const row = (more: object = {}) => ({
  sid: SID,
  parent_call_sid: null,
  from: '+972501234567',
  to: '+97235550100',
  direction: 'inbound',
  status: 'completed',
  start_time: 'Tue, 09 Dec 2025 10:30:00 +0000',
  end_time: 'Tue, 09 Dec 2025 10:35:00 +0000',
  duration: '300',
  ...more,
});

describe('the list of ended calls', () => {
  test('is asked for by API key, from an instant in UTC on, and its rows are read', async () => {
    const { list, seen } = await twilioWith([page([row()])]);
    expect(await list()).toEqual({
      unreadable: 0,
      calls: [
        {
          callSid: SID,
          isChildLeg: false,
          from: '+972501234567',
          to: '+97235550100',
          direction: 'inbound',
          status: 'completed',
          startedAt: Date.parse('2025-12-09T10:30:00Z'),
          endedAt: Date.parse('2025-12-09T10:35:00Z'),
          durationSec: 300,
        },
      ],
    });
    expect(seen.map(({ url, authorization }) => ({ url, authorization }))).toEqual([
      { url: FIRST, authorization: AUTHORIZATION },
    ]);
  });

  test.each<[string, object, object]>([
    [
      'another zone of time',
      { end_time: 'Tue, 09 Dec 2025 12:35:00 +0200' },
      { endedAt: Date.parse('2025-12-09T10:35:00Z') },
    ],
    ['no start', { start_time: null }, { startedAt: null }],
    [
      'F51 a call without an end of its own',
      { status: 'no-answer', end_time: null, date_updated: 'Tue, 09 Dec 2025 10:31:00 +0000' },
      { endedAt: Date.parse('2025-12-09T10:31:00Z') },
    ],
    ['B17 a duration that is none', { duration: '-1' }, { durationSec: null }],
    ['B17 no duration', { duration: null }, { durationSec: null }],
    ['B20 no caller', { from: '' }, { from: null }],
    ['B20 a number of 600 characters', { from: 's'.repeat(600) }, { from: 's'.repeat(512) }],
    ['a call that we placed', { direction: 'outbound-api' }, { direction: 'outbound' }],
    [
      'the far end of a call',
      { parent_call_sid: `CA${'9'.repeat(32)}`, direction: 'outbound-dial' },
      { isChildLeg: true },
    ],
  ])('%s is read as what it is', async (_what, more, expected) => {
    const { list } = await twilioWith([page([row(more)])]);
    expect((await list()).calls).toEqual([expect.objectContaining(expected)]);
  });

  test.each<[string, unknown, number]>([
    ['B15 a CallSid of another form', row({ sid: `CA${'X'.repeat(32)}` }), 1],
    ['B16 an unknown status', row({ status: 'lost' }), 1],
    ['no end', row({ end_time: null }), 1],
    ['an end that is no date', row({ end_time: 'yesterday' }), 1],
    ['a trunk', row({ direction: 'trunking-originating' }), 1],
    ['no object at all', 'row', 1],
    ['a call that is still going on', row({ status: 'in-progress', end_time: null }), 0],
  ])('%s is left out, and the rows beside it are read', async (_what, odd, unreadable) => {
    const other = row({ sid: `CA${'3'.repeat(32)}` });
    const { list } = await twilioWith([page([odd, other])]);
    const found = await list();
    expect(found.calls.map(({ callSid }) => callSid)).toEqual([other.sid]);
    expect(found.unreadable).toBe(unreadable);
  });

  test('is followed from page to page', async () => {
    const next = `${PATH}?Page=1&PageToken=PA1`;
    const { list, seen } = await twilioWith([page([row()], next), page([row({ sid: `CA${'3'.repeat(32)}` })])]);
    expect((await list()).calls).toHaveLength(2);
    expect(seen.map(({ url }) => url)).toEqual([FIRST, next]);
  });

  test('is gone on with at a page that an earlier list named', async () => {
    const next = `${PATH}?Page=1&PageToken=PA1`;
    const first = await twilioWith([page([row()], next)]);
    const named: (string | null)[] = [];
    for await (const each of first.twilio.listEnded(SINCE, null, never)) {
      named.push(each.next);
      break;
    }
    expect(named).toEqual([next]);
    const { list, seen } = await twilioWith([page([row()])]);
    expect((await list(never, next)).calls).toHaveLength(1);
    expect(seen.map(({ url }) => url)).toEqual([next]);
    await expect(list(never, 'http://169.254.169.254/latest')).rejects.toThrow('somewhere else');
    expect(seen).toHaveLength(1);
  });

  test.each([
    ['http://169.254.169.254/latest/meta-data', 'another host'],
    [`//evil.example${PATH}?Page=1`, 'another host without a scheme'],
    [`/2010-04-01/Accounts/AC${'9'.repeat(32)}/Calls.json?Page=1`, 'another account'],
    ['/other', 'another list'],
    ['http://[', 'no URL'],
  ])('a next page at %s is refused: %s never sees our key', async (next) => {
    const { list, seen } = await twilioWith([page([], next)]);
    await expect(list()).rejects.toThrow('somewhere else');
    expect(seen).toHaveLength(1);
  });

  test('a list that leads back to itself is refused', async () => {
    const { list, seen } = await twilioWith([page([row()], FIRST)]);
    await expect(list()).rejects.toThrow('does not end');
    expect(seen).toHaveLength(1);
  });
});

describe('the time of day', () => {
  test('is what Twilio says it is, asked for with the right that listing calls takes, and a page of one call', async () => {
    const { twilio, seen } = await twilioWith([status(429), status(200, { date: 'Tue, 09 Dec 2025 10:35:07 GMT' })]);
    expect(await twilio.time(never)).toBe(Date.parse('2025-12-09T10:35:07Z'));
    expect(seen.map(({ url, authorization }) => [url, authorization])).toEqual([
      [`${PATH}?PageSize=1`, AUTHORIZATION],
      [`${PATH}?PageSize=1`, AUTHORIZATION],
    ]);
  });

  test.each([{ date: 'some day' }, {}])('an answer with %o in place of it is refused', async (headers) => {
    const { twilio } = await twilioWith([
      (response) => {
        response.sendDate = false;
        response.writeHead(200, headers).end('{}');
      },
    ]);
    await expect(twilio.time(never)).rejects.toMatchObject({ code: 'PROVIDER_REJECTED' });
  });
});

describe('F54 when Twilio fails', () => {
  test.each([429, 500, 503])('%s twice is only a delay', async (code) => {
    const { list, seen } = await twilioWith([status(code), status(code), page([row()])]);
    expect((await list()).calls).toHaveLength(1);
    expect(seen).toHaveLength(3);
  });

  test('it is not asked earlier than it said', async () => {
    const { list, seen } = await twilioWith([status(429, { 'retry-after': '1' }), page([])]);
    await list();
    expect((seen[1]?.at ?? 0) - (seen[0]?.at ?? 0)).toBeGreaterThanOrEqual(990);
  });

  test('it is given up after four tries, or when it asks for more than a minute: the next run comes anyway', async () => {
    const failing = await twilioWith([status(503)]);
    await expect(failing.list()).rejects.toThrow('Twilio answered 503');
    expect(failing.seen).toHaveLength(4);
    const throttling = await twilioWith([status(429, { 'retry-after': '61' })]);
    await expect(throttling.list()).rejects.toMatchObject({ retryAfterMs: 61_000 });
    expect(throttling.seen).toHaveLength(1);
  });

  test.each([401, 403])('%s, a key that is refused, is told at once', async (code) => {
    const { list, seen } = await twilioWith([status(code)]);
    await expect(list()).rejects.toMatchObject({ pause: 'credentials' });
    expect(seen).toHaveLength(1);
  });

  test.each<[string, Answer]>([
    ['no JSON', status(200, {}, '<html>')],
    ['another form', status(200, {}, '{"calls":{}}')],
    ['more rows than a page has', page(Array.from({ length: 1_001 }, () => row()))],
    ['9 MiB', status(200, {}, 'x'.repeat(9 * 1_048_576))],
  ])('a page of %s is refused', async (_what, answer) => {
    const { list } = await twilioWith([answer]);
    await expect(list()).rejects.toMatchObject({ code: 'PROVIDER_REJECTED' });
  });

  test('a page that never comes ends at its deadline, and a shutdown ends it at once', async () => {
    const { list } = await twilioWith([() => undefined], { timeoutMs: 100 });
    await expect(list()).rejects.toThrow('Twilio answered nothing');
    const stop = new AbortController();
    const hanging = await twilioWith([() => stop.abort(new Error('shutting down'))]);
    await expect(hanging.list(stop.signal)).rejects.toThrow('shutting down');
    expect(hanging.seen).toHaveLength(1);
  });
});

test("the sandbox's telephone lists its calls in a way that is read, over pages", async () => {
  const options = { accountSid: ACCOUNT, authToken: 'token', ...KEY, publicBaseUrl: 'http://127.0.0.1:9' };
  const telephone = await startTelephone(options);
  closers.push(() => telephone.close());
  const script = { from: '+972501234567', to: '+97235550100', direction: 'inbound', silent: false } as const;
  const dialogue = { ...script, turns: [], ending: 'caller_hangs_up' as const };
  const placed = await Promise.all([1, 2, 3].map(() => telephone.placeCall({ dialogue, speed: 100 })));
  for (const call of placed) call.hangUp();
  await expect.poll(() => telephone.calls.every(({ endedAt }) => endedAt !== null), { timeout: 20_000 }).toBe(true);
  const twilio = createTwilio({ ...options, baseUrl: telephone.url, pageSize: 2, timeoutMs: 5_000 });
  closers.push(() => twilio.close());
  const pages: EndedCall[][] = [];
  for await (const { calls } of twilio.listEnded(Date.now() - 60_000, null, never)) pages.push([...calls]);
  expect(pages.map(({ length }) => length)).toEqual([2, 1]);
  expect(
    pages
      .flat()
      .map(({ callSid }) => callSid)
      .toSorted(),
  ).toEqual(placed.map(({ callSid }) => callSid).toSorted());
});
