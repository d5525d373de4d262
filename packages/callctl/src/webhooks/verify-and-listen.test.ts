import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { signAttempt } from '@pipeline/egress';
import { run, type Run } from '../fixtures/run.ts';

const SECRET = 'whsec_cGVyZmVjdC1jYWxsLXBpcGVsaW5lLXRlc3Qta2V5LTA=';
const OTHER = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const HOLDS = { WEBHOOK_SECRET: SECRET };
const BODY = '{"event_type":"call.completed","city":"תל אביב"}';
/** The fixed vector as `nc` or a proxy would save it. */
const SAVED = [
  'POST /in HTTP/1.1',
  'Host: hooks.example',
  'Webhook-Id: msg_CA00000000000000000000000000000001_completed',
  'webhook-timestamp: 1765276200',
  'webhook-signature: v1,hXQiPA8QrDmBWmhG2+ERy3f82AuSEbn7amyHV45+C+U=',
  '',
  BODY,
].join('\r\n');
const AT = ['--at', '2025-12-09T10:30:00Z'];

const verify = (args: readonly string[], files: Record<string, string | Buffer>, environment = HOLDS): Promise<Run> =>
  run(['webhooks', 'verify', ...args], { files, environment });

test('a saved request is verified as of a moment, of any age, and as of now', async () => {
  const valid = await verify(['a', ...AT], { a: SAVED });
  expect(valid).toMatchObject({ code: 0, error: '' });
  expect(valid.out).toBe(
    '✔ valid    msg_CA00000000000000000000000000000001_completed  call.completed, city תל אביב, 54 bytes, signed 0 s ago, secret 1 of 1',
  );
  expect((await verify(['a', '--any-age'], { a: SAVED })).code).toBe(0);
  const old = await verify(['a'], { a: SAVED });
  expect(old.code).toBe(1);
  expect(old.out).toContain('timestamp_too_old');
  expect(old.out).toContain('--any-age');
});

test('headers and body may be files of their own, headers as lines or JSON', async () => {
  const lines = SAVED.slice(0, SAVED.indexOf('\r\n\r\n'));
  expect((await verify(['h', '--body', 'b', ...AT], { h: lines, b: BODY })).code).toBe(0);
  expect(
    (await verify(['h', '--body', 'b', ...AT], { h: `> ${lines.replaceAll('\r\n', '\r\n> ')}`, b: BODY })).code,
  ).toBe(0);
  const json = JSON.stringify(
    Object.fromEntries(
      lines
        .split('\r\n')
        .slice(1)
        .map((line) => line.split(': ')),
    ),
  );
  expect((await verify(['h', '--body', 'b', ...AT], { h: json, b: BODY })).code).toBe(0);
});

test('what is wrong is told by its code, with the probable cause, and ends with 1', async () => {
  const wrong: readonly (readonly [string, string])[] = [
    [`${SAVED}\n`, 'probably a line end was added'],
    [SAVED.replace(BODY, JSON.stringify(JSON.parse(BODY), null, 2)), 'probably the body was parsed and written anew'],
    [SAVED.replace('אביב', 'אבין'), 'signature_mismatch: no signature matches'],
    [SAVED.replace('Webhook-Id', 'X-Id'), 'header_missing'],
    [SAVED.replace('v1,', 'v9,'), 'no_v1_signature'],
  ];
  for (const [file, words] of wrong) {
    const { code, out } = await verify(['a', ...AT], { a: file });
    expect({ words, code }).toEqual({ words, code: 1 });
    expect(out).toContain(words);
  }
  const json = JSON.parse((await verify(['a', '--json', ...AT], { a: `${SAVED}\n` })).out);
  expect(json).toMatchObject({ valid: false, code: 'signature_mismatch', hint: expect.stringContaining('line end') });
});

test('a request that cannot be read, and a missing or misshapen secret, are told without showing the secret', async () => {
  expect((await verify(['a'], { a: 'no empty line' })).error).toContain('no empty line between headers and body');
  expect((await verify(['a'], { a: 'nothing\n\nhere' })).error).toContain('no headers found');
  const none = await run(['webhooks', 'verify', 'a'], { files: { a: SAVED } });
  expect(none).toMatchObject({ code: 2, error: expect.stringContaining('WEBHOOK_SECRET') });
  const short = await run(['webhooks', 'verify', 'a', '--secret', 'whsec_canary'], { files: { a: SAVED } });
  expect(short.code).toBe(2);
  expect(short.error).not.toContain('canary');
});

test('words of callers in a webhook cannot move the cursor', async () => {
  const body = '{"event_type":"call.completed","city":"\\u001b[2J\\u202eevil"}';
  const { out } = await verify(['a', '--any-age'], { a: signedFile(body) });
  expect(out).toContain('valid');
  expect(out).toContain('city [2Jevil');
  for (const character of ['\u001b', '\u202e']) expect(out).not.toContain(character);
});

test('a local receiver verifies what comes, prints each, answers, notices repetitions and saves what it got', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'listen-'));
  const { signal, url, ended, printed } = await listen(['--save', folder, '--answer', '200', '--json'], {
    WEBHOOK_SECRET: `${OTHER} ${SECRET}`,
  });
  const good = signedFile(BODY);
  expect(await post(url, good)).toBe(200);
  expect(await post(url, good)).toBe(200);
  expect(await post(url, signedFile(BODY, 'x'))).toBe(401);
  expect((await fetch(url)).status).toBe(405);
  signal.abort(new Error('Ctrl-C'));
  const { code, error } = await ended;
  expect(code).toBe(0);
  expect(error).toContain('3 received, 2 valid, 1 different');
  expect(printed.map((line) => JSON.parse(line))).toMatchObject([
    { valid: true, seen: false, secret: 2, event: 'call.completed', attempt: '1' },
    { valid: true, seen: true },
    { valid: false, code: 'signature_mismatch' },
  ]);
  const saved = await readFile(join(folder, 'webhook-0001.http'));
  expect((await verify(['a'], { a: saved })).code).toBe(0);
  await rm(folder, { recursive: true });
});

test('a receiver that is told to end after so many ends, and a taken port is told', async () => {
  const { url, ended } = await listen(['--count', '1'], HOLDS);
  const taken = await run(['webhooks', 'listen', '--port', new URL(url).port], { environment: HOLDS });
  expect(taken).toMatchObject({ code: 1, error: expect.stringContaining('--port') });
  expect(await post(url, signedFile(BODY))).toBe(204);
  expect((await ended).code).toBe(0);
  expect((await run(['webhooks', 'listen', '--port', 'x'], { environment: HOLDS })).code).toBe(2);
});

/** Starts the verb on a free port; resolves once it listens. */
async function listen(args: readonly string[], environment: Record<string, string>) {
  const signal = new AbortController();
  const printed: string[] = [];
  const listening = Promise.withResolvers<string>();
  const ended = run(['webhooks', 'listen', '--port', '0', ...args], {
    environment,
    signal: signal.signal,
    onOut: (line) => void printed.push(line),
    onError: (line) => {
      const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
      if (url !== undefined) listening.resolve(url);
    },
  });
  return { signal, printed, ended, url: await listening.promise };
}

/** A request signed now, as a file; `spoiled` is added to the body afterwards. */
function signedFile(body: string, spoiled = ''): string {
  const signed = signAttempt({ id: 'msg_1', body: Buffer.from(body), secrets: [SECRET], nowMs: Date.now() });
  const lines = Object.entries({ ...signed, 'webhook-attempt': '1' }).map(([name, value]) => `${name}: ${value}`);
  return `${lines.join('\n')}\n\n${body}${spoiled}`;
}

async function post(url: string, file: string): Promise<number> {
  const [head = '', body = ''] = file.split('\n\n');
  const headers = Object.fromEntries(head.split('\n').map((line) => line.split(': ') as [string, string]));
  return (await fetch(url, { method: 'POST', headers, body })).status;
}
