import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { PermanentError, RetryLaterError } from '@pipeline/contracts';
import { createTwilio, type Twilio, type TwilioOptions } from './twilio.ts';

const ACCOUNT = `AC${'1'.repeat(32)}`;
const CALL = `CA${'2'.repeat(32)}`;
const RECORDING = `RE${'3'.repeat(32)}`;
const KEY = { apiKeySid: `SK${'4'.repeat(32)}`, apiKeySecret: 'quite secret' };
const AUTHORIZATION = `Basic ${Buffer.from(`${KEY.apiKeySid}:${KEY.apiKeySecret}`).toString('base64')}`;
const LIST = `/2010-04-01/Accounts/${ACCOUNT}/Calls/${CALL}/Recordings.json?PageSize=100`;
const MEDIA = `/2010-04-01/Accounts/${ACCOUNT}/Recordings/${RECORDING}.wav`;
const DUAL = `${MEDIA}?RequestedChannels=2`;
const AUDIO = Buffer.from('RIFF and some audio');
const never = new AbortController().signal;

type Answer = (response: ServerResponse, request: IncomingMessage) => void;
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A server with one answer for each path, and a client of it. */
async function twilioWith(answers: Record<string, Answer>, more: Partial<TwilioOptions> = {}) {
  const seen: { url: string; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    seen.push({ url: request.url ?? '', authorization: request.headers.authorization });
    const answer = answers[request.url ?? ''];
    if (answer === undefined) response.writeHead(500).end();
    else answer(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // Bound to a port, so it is an address and no pipe.
  const base = { baseUrl: `http://127.0.0.1:${port}`, accountSid: ACCOUNT, maxAudioBytes: 1_000_000, ...KEY };
  const client: Twilio = createTwilio({ ...base, ...more });
  closers.push(async () => {
    server.closeAllConnections();
    await Promise.all([client.close(), new Promise((resolve) => server.close(resolve))]);
  });
  const open = (signal = never, mayBeRecorded = true) =>
    client.openRecordings({ callSid: CALL, attempt: 1, mayBeRecorded }, signal);
  return { open, seen };
}

const status =
  (code: number, headers: Record<string, string> = {}, body = ''): Answer =>
  (response) =>
    void response.writeHead(code, headers).end(body);
const audio: Answer = (response) => void response.writeHead(200, { 'content-type': 'audio/x-wav' }).end(AUDIO);
const list = (...rows: object[]): Answer => status(200, {}, JSON.stringify({ recordings: rows, next_page_uri: null }));
const row = (more: object = {}) => ({
  sid: RECORDING,
  call_sid: CALL,
  status: 'completed',
  channels: 2,
  duration: '61',
  start_time: 'Tue, 09 Dec 2025 10:30:00 +0000',
  error_code: null,
  ...more,
});

async function outcomeOf(opening: Promise<unknown>): Promise<string> {
  const failure: unknown = await opening.catch((error: unknown) => error);
  if (failure instanceof PermanentError) return failure.code;
  if (!(failure instanceof RetryLaterError)) return 'opened';
  const { pause, deadline, code, retryAfterMs } = failure;
  if (pause !== undefined) return `pause: ${pause}`;
  return `again until ${deadline}, then ${code}${retryAfterMs === undefined ? '' : `, in ${retryAfterMs} ms`}`;
}

const NOT_YET = 'again until recording, then RECORDING_NOT_FOUND';
const UNAVAILABLE = 'again until provider, then PROVIDER_UNAVAILABLE';

describe('a look-up by CallSid', () => {
  test('downloads what is complete, with two channels, by API key', async () => {
    const { open, seen } = await twilioWith({ [LIST]: list(row()), [DUAL]: audio });
    const { recordings, close } = await open();
    expect(recordings).toHaveLength(1);
    expect(recordings[0]?.offsetMs).toBe(0);
    expect(Buffer.from((await recordings[0]?.source.read(0, 100)) ?? [])).toEqual(AUDIO);
    expect(seen).toEqual([LIST, DUAL].map((url) => ({ url, authorization: AUTHORIZATION })));
    await close();
  });

  test.each([
    ['no row', list(), NOT_YET],
    ['processing', list(row({ status: 'processing' })), NOT_YET],
    ['absent', list(row({ status: 'absent' })), 'RECORDING_ABSENT'],
    ['B19 the recording of another call', list(row({ call_sid: `CA${'9'.repeat(32)}` })), NOT_YET],
    ['B18 a row without a proper sid', list(row({ sid: '../../../etc/passwd' })), NOT_YET],
    ['404', status(404), NOT_YET],
    ['no JSON', status(200, {}, '<html>'), NOT_YET],
    ['JSON of another shape', status(200, {}, '{"recordings":{}}'), NOT_YET],
    ['more than a list', status(200, {}, 'x'.repeat(1_100_000)), NOT_YET],
    ['401', status(401), 'pause: credentials'],
    ['403', status(403), 'pause: credentials'],
    ['400', status(400), 'RECORDING_REFUSED'],
    ['408', status(408), UNAVAILABLE],
    ['429 with Retry-After', status(429, { 'retry-after': '7' }), `${UNAVAILABLE}, in 7000 ms`],
    ['500', status(500), UNAVAILABLE],
    ['503 with Retry-After', status(503, { 'retry-after': '2' }), `${UNAVAILABLE}, in 2000 ms`],
    ['nothing', (response: ServerResponse) => void response.destroy(), UNAVAILABLE],
  ] as [string, Answer, string][])('that answers %s has one meaning', async (_name, answer, outcome) => {
    const { open } = await twilioWith({ [LIST]: answer });
    expect(await outcomeOf(open())).toBe(outcome);
  });

  test('is made once for a call that cannot have been recorded, and what it lists is believed more than that', async () => {
    const none = await twilioWith({ [LIST]: list() });
    expect(await outcomeOf(none.open(never, false))).toBe('RECORDING_ABSENT');
    expect(none.seen).toHaveLength(1);
    const some = await twilioWith({ [LIST]: list(row()), [DUAL]: audio });
    await (await some.open(never, false)).close();
    const away = await twilioWith({ [LIST]: status(503) });
    expect(await outcomeOf(away.open(never, false)), 'not known').toBe(UNAVAILABLE);
  });

  test('that never ends is given up at its deadline', async () => {
    const { open } = await twilioWith(
      { [LIST]: (response) => void response.writeHead(200).write('{') },
      { lookupTimeoutMs: 50 },
    );
    expect(await outcomeOf(open())).toBe(UNAVAILABLE);
  });

  test('that our own shutdown ends says so', async () => {
    const stop = new AbortController();
    const reason = new Error('shutting down');
    const { open } = await twilioWith({ [LIST]: () => stop.abort(reason) });
    await expect(open(stop.signal)).rejects.toBe(reason);
  });
});

describe('a download', () => {
  test.each([
    ['404 right after', status(404), NOT_YET],
    ['410', status(410), 'RECORDING_DELETED'],
    ['401', status(401), 'pause: credentials'],
    ['429', status(429, { 'retry-after': '3' }), `${UNAVAILABLE}, in 3000 ms`],
    ['502', status(502), UNAVAILABLE],
    ['402', status(402), 'RECORDING_REFUSED'],
    [
      'F55 200 and an error page',
      status(200, { 'content-type': 'text/html' }, '<html>'),
      'again until recording, then AUDIO_UNREADABLE',
    ],
    [
      'F55 half of what it promised',
      (response: ServerResponse) => {
        response.writeHead(200, { 'content-type': 'audio/x-wav', 'content-length': '1000' });
        response.write(AUDIO, () => response.destroy());
      },
      UNAVAILABLE,
    ],
  ] as [string, Answer, string][])('that answers %s has one meaning', async (_name, answer, outcome) => {
    const { open } = await twilioWith({ [LIST]: list(row()), [DUAL]: answer });
    expect(await outcomeOf(open())).toBe(outcome);
  });

  test('of a recording with one channel asks again without channels', async () => {
    const { open, seen } = await twilioWith({ [LIST]: list(row()), [DUAL]: status(400), [MEDIA]: audio });
    await (await open()).close();
    expect(seen.map(({ url }) => url)).toEqual([LIST, DUAL, MEDIA]);
  });

  test('stops at the bound of a call, all recordings together', async () => {
    const later = `RE${'5'.repeat(32)}`;
    const laterUrl = DUAL.replace(RECORDING, later);
    const rows = list(row(), row({ sid: later, start_time: 'Tue, 09 Dec 2025 10:32:00 +0000' }));
    const answers = { [LIST]: rows, [DUAL]: audio, [laterUrl]: audio };
    const { open } = await twilioWith(answers, { maxAudioBytes: AUDIO.length * 2 });
    const { recordings, close } = await open();
    expect(recordings.map(({ offsetMs }) => offsetMs)).toEqual([0, 120_000]);
    await close();
    const smaller = await twilioWith(answers, { maxAudioBytes: AUDIO.length * 2 - 1 });
    expect(await outcomeOf(smaller.open())).toBe('AUDIO_TOO_LARGE');
  });

  test('follows a redirect on the same host without our credentials', async () => {
    const { open, seen } = await twilioWith({
      [LIST]: list(row()),
      [DUAL]: status(302, { location: '/elsewhere' }),
      '/elsewhere': audio,
    });
    await (await open()).close();
    expect(seen.at(-1)).toEqual({ url: '/elsewhere', authorization: undefined });
  });

  test.each([
    ['a link that ran out', status(403), NOT_YET],
    ['a broken store', status(500), UNAVAILABLE],
  ])('behind a redirect that answers %s does not pause the stage', async (_name, answer, outcome) => {
    const answers = { [LIST]: list(row()), [DUAL]: status(307, { location: '/store' }), '/store': answer };
    expect(await outcomeOf((await twilioWith(answers)).open())).toBe(outcome);
  });

  test.each([
    'http://169.254.169.254/latest/meta-data',
    'https://twilio.com.example.org/a.wav',
    'https://nottwilio.com/a.wav',
    'http://api.twilio.com/a.wav',
    'https://user:password@api.twilio.com/a.wav',
    'file:///etc/passwd',
    'http://[',
    DUAL,
  ])('never goes where a redirect to %s points', async (location) => {
    const { open, seen } = await twilioWith({ [LIST]: list(row()), [DUAL]: status(302, { location }) });
    expect(await outcomeOf(open())).toBe('RECORDING_REFUSED');
    expect(seen.every(({ url }) => url === LIST || url === DUAL)).toBe(true);
  });
});
