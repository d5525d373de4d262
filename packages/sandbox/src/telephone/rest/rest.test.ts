import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { request } from 'undici';
import { demodulate } from '../../speech/demodulate.ts';
import { readWav } from '../../speech/wav.ts';
import type { CallScript } from '../line/script.ts';
import { startTelephone, type Telephone } from '../telephone.ts';
import { ACCOUNT, startToyGateway, type ToyGateway } from '../toy-gateway.ts';
import type { RecordingBehaviour } from './recording-behaviour.ts';

const SCRIPT: CallScript = {
  from: '+972501234567',
  to: '+972731234567',
  direction: 'inbound',
  silent: false,
  turns: [
    { speaker: 'agent', text: 'Where do you live?' },
    { speaker: 'caller', text: 'אני גר בתל אביב' },
  ],
  ending: 'caller_hangs_up',
};
const BASE = `/2010-04-01/Accounts/${ACCOUNT.accountSid}`;
const KEY = `${ACCOUNT.apiKeySid}:${ACCOUNT.apiKeySecret}`;

let gateway: ToyGateway;
let telephone: Telephone;
let callSid: string;
let recordingSid: string;
beforeAll(async () => {
  gateway = await startToyGateway({ onStart: (stream) => stream.say('Where do you live?') });
  telephone = await startTelephone({ ...ACCOUNT, gatewayUrl: gateway.url });
});
afterAll(async () => {
  await telephone.close();
  await gateway.close();
});
beforeEach(async () => {
  ({ callSid, recordingSid } = await place());
});

async function place() {
  const placed = await telephone.placeCall({ dialogue: SCRIPT, speed: 40 });
  await placed.ended;
  const call = telephone.calls.find((candidate) => candidate.callSid === placed.callSid);
  return { callSid: placed.callSid, recordingSid: call?.recording?.sid ?? '' };
}
async function ask(path: string, options: { method?: 'GET' | 'POST' | 'DELETE'; body?: string; as?: string } = {}) {
  const { method = 'GET', as = KEY } = options;
  return request(`${telephone.url}${path}`, {
    method,
    body: options.body ?? null,
    headers: { authorization: `Basic ${Buffer.from(as).toString('base64')}` },
  });
}
async function lookup() {
  const response = await ask(`${BASE}/Calls/${callSid}/Recordings.json`);
  // The test reads what it expects and fails where it is not there.
  const json = (await response.body.json()) as { recordings?: Record<string, unknown>[] };
  return { status: response.statusCode, headers: response.headers, rows: json.recordings ?? [] };
}
async function download(query = '?RequestedChannels=2') {
  const response = await ask(`${BASE}/Recordings/${recordingSid}.wav${query}`);
  return {
    status: response.statusCode,
    headers: response.headers,
    bytes: Buffer.from(await response.body.arrayBuffer()),
  };
}
async function statuses(behaviour: RecordingBehaviour, times: number): Promise<unknown[]> {
  telephone.setRecordingBehaviour(behaviour, callSid);
  const found: unknown[] = [];
  for (let at = 0; at < times; at += 1) found.push((await lookup()).rows[0]?.['status'] ?? 'nothing');
  return found;
}

test('a finished recording is a row of the documented fields and types', async () => {
  const { status, rows } = await lookup();
  expect(status).toBe(200);
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({
    sid: recordingSid,
    account_sid: ACCOUNT.accountSid,
    call_sid: callSid,
    status: 'completed',
    channels: 2,
    duration: expect.stringMatching(/^\d+$/),
    source: 'StartCallRecordingTwiML',
    error_code: null,
    start_time: expect.stringMatching(/^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} \+0000$/),
    uri: `${BASE}/Recordings/${recordingSid}.json`,
  });
  expect(rows[0]).not.toHaveProperty('media_url');
});

test('API key and auth token open it, anything else is 401', async () => {
  const path = `${BASE}/Calls/${callSid}/Recordings.json`;
  expect((await ask(path, { as: `${ACCOUNT.accountSid}:${ACCOUNT.authToken}` })).statusCode).toBe(200);
  expect((await ask(path, { as: `${ACCOUNT.apiKeySid}:wrong` })).statusCode).toBe(401);
  expect((await request(`${telephone.url}${path}`)).statusCode).toBe(401);
  expect((await ask(path.replace('AC1', 'AC2'))).statusCode).toBe(404);
});

test('two channels come only by RequestedChannels=2; a mono recording has no two', async () => {
  const dual = await download();
  expect(dual.headers['content-length']).toBe(String(dual.bytes.length));
  expect(readWav(dual.bytes).channels.map((channel) => demodulate(channel)[0]?.text)).toEqual([
    'אני גר בתל אביב',
    'Where do you live?',
  ]);
  expect(readWav((await download('')).bytes).channels).toHaveLength(1);
  telephone.setRecordingBehaviour({ mono: true }, callSid);
  expect((await download()).status).toBe(400);
  expect((await lookup()).rows[0]?.['channels']).toBe(1);
});

test('a recording becomes ready by look-ups, by time, or never', async () => {
  expect(await statuses({ readyAfterLookups: 3 }, 5)).toEqual([
    'nothing',
    'processing',
    'processing',
    'completed',
    'completed',
  ]);
  expect(await statuses({ readyAfterMs: 60_000 }, 2)).toEqual(['processing', 'processing']);
  expect(await statuses({ outcome: 'never' }, 2)).toEqual(['nothing', 'nothing']);
});

test.each(['absent', 'failed'] as const)('a recording can be %s, and has no audio then', async (outcome) => {
  expect(await statuses({ outcome, readyAfterLookups: 1 }, 3)).toEqual(['nothing', outcome, outcome]);
  expect((await download()).status).toBe(404);
});

test('media can be 404 for a while, then break off, then come whole', async () => {
  telephone.setRecordingBehaviour({ mediaNotFoundTimes: 1, truncatedTimes: 1 }, callSid);
  expect((await download()).status).toBe(404);
  await expect(download()).rejects.toThrow(/terminated|closed|aborted/);
  expect(readWav((await download()).bytes).channels).toHaveLength(2);
});

test('requests can be refused, with Retry-After, so many times and of one kind', async () => {
  telephone.setRecordingBehaviour({ refusal: { status: 429, retryAfterSec: 7, times: 2, kind: 'lookup' } }, callSid);
  const refused = [await lookup(), await lookup(), await lookup()];
  expect(refused.map((answer) => answer.status)).toEqual([429, 429, 200]);
  expect(refused[0]?.headers['retry-after']).toBe('7');
  telephone.setRecordingBehaviour({ refusal: { status: 401 } }, callSid);
  expect((await lookup()).status).toBe(401);
  expect((await download()).status).toBe(401);
});

test('a behaviour in general holds for every call without one of its own', async () => {
  telephone.setRecordingBehaviour({ outcome: 'never' });
  expect((await lookup()).rows).toEqual([]);
  telephone.setRecordingBehaviour({ outcome: 'absent' }, callSid);
  expect((await lookup()).rows[0]?.['status']).toBe('absent');
  telephone.setRecordingBehaviour({});
});

test.each(['swapped_channels', 'dropped_frame', 'wrong_rate', 'flipped_bit'] as const)(
  'audio with %s is not what was said',
  async (corruption) => {
    telephone.setRecordingBehaviour({ corruption }, callSid);
    const { sampleRate, channels } = readWav((await download()).bytes);
    const heard = channels.map((channel) => demodulate(channel).map((utterance) => utterance.text));
    const isWhole = heard[0]?.join() === 'אני גר בתל אביב' && heard[1]?.join() === 'Where do you live?';
    expect(isWhole && sampleRate === 8_000).toBe(false);
  },
);

test('a deleted recording is gone', async () => {
  expect((await ask(`${BASE}/Recordings/${recordingSid}.json`, { method: 'DELETE' })).statusCode).toBe(204);
  expect((await lookup()).rows).toEqual([]);
  expect((await download()).status).toBe(404);
  expect((await ask(`${BASE}/Recordings/${recordingSid}.json`, { method: 'DELETE' })).statusCode).toBe(404);
});

test('ended calls are listed newest first, page by page, filtered by whole days', async () => {
  const others = [(await place()).callSid, (await place()).callSid];
  const today = new Date().toISOString().slice(0, 10);
  const sids: unknown[] = [];
  let next: string | null =
    `${BASE}/Calls.json?${new URLSearchParams({ 'EndTime>': today, PageSize: '2' }).toString()}`;
  let pages = 0;
  while (next !== null) {
    const { calls, next_page_uri } = (await (await ask(next)).body.json()) as {
      calls: Record<string, unknown>[];
      next_page_uri: string | null;
    };
    expect(calls.length).toBeLessThanOrEqual(2);
    sids.push(...calls.map((call) => call['sid']));
    // A call that ends while pages are read shifts none of them.
    if (pages === 0) await place();
    pages += 1;
    next = next_page_uri;
  }
  expect(sids.slice(0, 3)).toEqual([others[1], others[0], callSid]);
  expect(new Set(sids).size).toBe(sids.length);
  expect(sids).toHaveLength(telephone.calls.length - 1);
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
  const later = await ask(`${BASE}/Calls.json?${new URLSearchParams({ 'EndTime>': tomorrow }).toString()}`);
  expect(await later.body.json()).toMatchObject({ calls: [], next_page_uri: null });
});

test('a call is a row of the documented fields and types', async () => {
  expect(await (await ask(`${BASE}/Calls/${callSid}.json`)).body.json()).toMatchObject({
    sid: callSid,
    parent_call_sid: null,
    from: SCRIPT.from,
    to: SCRIPT.to,
    direction: 'inbound',
    status: 'completed',
    duration: expect.stringMatching(/^\d+$/),
    end_time: expect.stringMatching(/\+0000$/),
  });
});

test('the list of calls refuses, and repeats rows from page to page, as it is told', async () => {
  await place();
  const path = `${BASE}/Calls.json?PageSize=2`;
  telephone.setCallListBehaviour({ refuse: { status: 429, times: 1, retryAfter: 7 }, repeats: 1 });
  const refused = await ask(path);
  expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '7']);
  const sids: string[] = [];
  for (let next: string | null = path; next !== null;) {
    // The test reads what it expects and fails where it is not there.
    const body = (await (await ask(next)).body.json()) as { calls: { sid: string }[]; next_page_uri: string | null };
    sids.push(...body.calls.map(({ sid }) => sid));
    next = body.next_page_uri;
  }
  telephone.setCallListBehaviour({});
  expect(new Set(sids).size).toBe(telephone.calls.length);
  expect(sids.length).toBeGreaterThan(telephone.calls.length);
  expect((await ask(path)).statusCode).toBe(200);
});

test('Status=completed ends a running call', async () => {
  const running = await telephone.placeCall({ dialogue: { ...SCRIPT, silent: true, turns: [], silentSeconds: 600 } });
  const isRunning = (): boolean =>
    gateway.streams.some((stream) => stream.frames[1]?.start?.callSid === running.callSid && stream.frames.length > 3);
  await expect.poll(isRunning).toBe(true);
  const path = `${BASE}/Calls/${running.callSid}.json`;
  const form = { method: 'POST', body: 'Status=completed' } as const;
  expect((await ask(path, form)).statusCode).toBe(200);
  expect(await running.ended).toMatchObject({ status: 'completed', endedBy: 'operator' });
  expect((await ask(path, form)).statusCode).toBe(400);
});

test('every request is in the ledger', async () => {
  await download();
  expect(telephone.requests.at(-1)).toEqual({
    method: 'GET',
    path: `${BASE}/Recordings/${recordingSid}.wav?RequestedChannels=2`,
    status: 200,
  });
});

test('a call that is kept has the recordings that it was given, byte for byte, from memory and from disk', async () => {
  const bytes = Buffer.from('any bytes at all');
  const path = new URL(import.meta.url).pathname;
  const kept = telephone.keepCall([
    { media: bytes, channels: 1, contentType: 'text/plain', row: { status: 'absent' } },
    { media: { path } },
  ]);
  ({ callSid } = kept);
  const { rows } = await lookup();
  expect(rows.map(({ sid, status, channels }) => ({ sid, status, channels }))).toEqual([
    { sid: kept.recordingSids[0], status: 'absent', channels: 1 },
    { sid: kept.recordingSids[1], status: 'completed', channels: 2 },
  ]);
  recordingSid = kept.recordingSids[0] ?? '';
  expect(await download()).toMatchObject({ status: 400 });
  expect(await download('')).toMatchObject({ status: 200, bytes, headers: { 'content-type': 'text/plain' } });
  recordingSid = kept.recordingSids[1] ?? '';
  expect((await download()).bytes).toEqual(await readFile(path));
});
