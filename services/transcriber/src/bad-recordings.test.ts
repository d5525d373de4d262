import { mkdtemp, open, readdir, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  callLogStatus,
  failureOf,
  KNOWN_PRICES,
  PermanentError,
  RetryLaterError,
  type CallTranscribed,
  type LiveTurn,
  type Speaker,
} from '@pipeline/contracts';
import {
  inTurn,
  keys,
  modulate,
  music,
  silence,
  startAiProvider,
  startTelephone,
  throughLine,
  tone,
  writeWav,
  type AiProvider,
  type KeptRecording,
  type Telephone,
} from '@pipeline/sandbox';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createListener, type Listener } from './adapters/listener.ts';
import { createSpeechToText } from './adapters/openai.ts';
import { createTwilio, type Twilio } from './adapters/twilio.ts';
import { ended, surroundings } from './fixtures.ts';
import { handle, handOn, type TranscriberDeps } from './handler.ts';

const RATE = 8_000;
const KEY = 'sk-sandbox';
const ACCOUNT = {
  accountSid: `AC${'1'.repeat(32)}`,
  authToken: 'the-auth-token-of-the-sandbox',
  apiKeySid: `SK${'2'.repeat(32)}`,
  apiKeySecret: 'the-api-key-secret',
  publicBaseUrl: 'https://calls.example.com',
};
const KEYWORDS = ['שיפוצים', 'Acme Plumbing', 'Haifa', 'سباكة'];
/** More than the sandbox itself could say in two seconds, without repeating itself. */
const LONG_TEXT = Array.from({ length: 120 }, (_, at) => (at * 7_919 + 46_656).toString(36)).join(' ');
const MAX_AUDIO_BYTES = 512 * 1_024 * 1_024;
const never = new AbortController().signal;

let folder = '';
let spools = '';
let telephone: Telephone;
let provider: AiProvider;
let twilio: Twilio;
let listener: Listener;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bad-recordings-'));
  spools = await mkdtemp(join(folder, 'spools-'));
  telephone = await startTelephone(ACCOUNT);
  provider = await startAiProvider({ dialogues: [], apiKey: KEY });
  twilio = createTwilio({ baseUrl: telephone.url, ...ACCOUNT, maxAudioBytes: MAX_AUDIO_BYTES, directory: spools });
  listener = createListener();
});
afterAll(async () => {
  await Promise.all([telephone.close(), provider.close(), twilio.close(), listener.close()]);
  await rm(folder, { recursive: true });
});

const removals: (() => void)[] = [];
afterEach(() => removals.splice(0).forEach((remove) => remove()));

/** From now on the provider hears this in all that it does not understand. */
function invent(text: string): void {
  removals.push(
    provider.setFault({ route: 'transcriptions', kind: 'invented', text, match: { textIncludes: '\uFFFD' } }),
  );
}

type Setup = { live?: readonly LiveTurn[] | null; mode?: 'segments' | 'channels' };

/** Puts a recording at the telephone company and works its call as the stage does, over HTTP both ways. */
async function work(given: KeptRecording['media'] | KeptRecording, { live = null, mode = 'segments' }: Setup = {}) {
  const recording = given instanceof Uint8Array || 'path' in given ? { media: given } : given;
  const { callSid } = telephone.keepCall([recording]);
  const base = { baseUrl: provider.url, apiKey: KEY, model: 'gpt-transcribe', timeoutMs: 60_000, concurrency: 4 };
  const deps: TranscriberDeps = {
    ...surroundings(),
    ...listener,
    openRecordings: twilio.openRecordings,
    transcribe: createSpeechToText(base),
    setup: { ...surroundings().setup, mode },
    prices: KNOWN_PRICES,
  };
  const analysis = { ...ended.data.analysis, keywords: KEYWORDS };
  const data = { ...ended.data, analysis, liveTranscript: live === null ? null : [...live] };
  const event = { ...ended, callSid, data };
  const asked = provider.requests.length;
  try {
    const [handed] = await handle(event, deps, never).catch((error: unknown) => {
      if (error instanceof RetryLaterError) return handOn(event, failureOf(error.code), deps, never);
      if (error instanceof PermanentError) return handOn(event, failureOf(error.code), deps, never);
      throw error;
    });
    const { transcript, stages } = (handed as CallTranscribed).data; // The only event that this stage makes.
    const part = stages.transcriber;
    return {
      code: part?.code ?? null,
      status: callLogStatus({ ...stages, summarizer: part, extractor: part }),
      lines: transcript?.segments.map(({ speaker, text, flags = [] }) => [speaker, text, ...flags].join('|')) ?? [],
      flags: transcript?.quality?.flags ?? [],
      transcript,
      requests: provider.requests.slice(asked),
    };
  } finally {
    expect(await readdir(spools)).toEqual([]);
    expect(await openSpools()).toEqual([]);
  }
}

/** Temporary files without a name that this process still holds. */
async function openSpools(): Promise<string[]> {
  const descriptors = await readdir('/proc/self/fd').catch(() => []);
  const links = await Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  return links.filter((link) => link.startsWith(spools));
}

const said = (text: string): Int16Array => throughLine(modulate(text));
const wavOf = (...channels: Int16Array[]): Buffer => writeWav({ sampleRate: RATE, channels });
const live = (...turns: [Speaker, string, number][]): LiveTurn[] =>
  turns.map(([speaker, text, seconds]) => ({ speaker, text, startMs: seconds * 1_000 }));
/** Something is said on both sides. */
const spoken = () =>
  wavOf(inTurn(silence(1), said('שלום, אני צריך עזרה')), inTurn(silence(4), said('How can I help?')));
const WORDS = ['caller|שלום, אני צריך עזרה', 'agent|How can I help?'];

/** The recording with other bytes at some places of its header. */
function changed(...places: readonly (readonly [at: number, value: number, bytes: 1 | 2 | 4])[]): Buffer {
  const file = spoken();
  for (const [at, value, bytes] of places) file.writeUIntLE(value, at, bytes);
  return file;
}

describe('a recording that is none', () => {
  test.each([
    ['B79 0 bytes', 'AUDIO_UNREADABLE', Buffer.alloc(0)],
    ['B80 a header and nothing else', 'NO_SPEECH', wavOf(silence(0), silence(0))],
    ['B81 a length beyond its end', 'AUDIO_UNREADABLE', changed([40, 10_000_000, 4])],
    ['B81 no channel', 'AUDIO_UNREADABLE', changed([22, 0, 2])],
    ['B81 a rate of 12,345 Hz', 'AUDIO_UNREADABLE', changed([24, 12_345, 4])],
    [
      'B81 a chunk of 4 GiB before its samples',
      'AUDIO_UNREADABLE',
      changed([36, 0x4b4e_554a, 4], [40, 0xffff_fff0, 4]),
    ],
    ['B82 an MP3', 'AUDIO_UNREADABLE', Buffer.from([0xff, 0xfb, 0x90, 0x64, ...Buffer.alloc(4_000, 0x55)])],
    ['B82 an error page', 'AUDIO_UNREADABLE', Buffer.from('<!doctype html><title>502</title>')],
    ['B85 8 bits', 'AUDIO_UNREADABLE', changed([34, 8, 2])],
    ['B85 96 kHz', 'AUDIO_UNREADABLE', changed([24, 96_000, 4])],
    ['B85 8 channels', 'AUDIO_UNREADABLE', changed([22, 8, 2])],
    ['B88 ID3 tags before an MP3', 'AUDIO_UNREADABLE', Buffer.from('ID3\x04\0\0\0\0\x0f\x76and so on', 'latin1')],
    ['B88 a zip', 'AUDIO_UNREADABLE', Buffer.from('PK\x03\x04\x14\0\0\0\x08\0bomb', 'latin1')],
    ['B88 a gzip bomb', 'AUDIO_UNREADABLE', gzipSync(Buffer.alloc(50_000_000))],
    ['B88 a playlist', 'AUDIO_UNREADABLE', Buffer.from('#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n')],
    ['B88 a concatenation', 'AUDIO_UNREADABLE', Buffer.from('concat:/etc/passwd|http://169.254.169.254/')],
    ['B88 a list of files', 'AUDIO_UNREADABLE', Buffer.from("ffconcat version 1.0\nfile '/etc/passwd'\n")],
  ])('%s ends partial with %s, nothing paid', async (_name, code, bytes) => {
    const outcome = await work(bytes);
    expect(outcome).toMatchObject({ code, status: 'partial', transcript: null, requests: [] });
  });

  test('B82 an error page that says so is looked for again', async () => {
    const page = { media: Buffer.from('<html>'), contentType: 'text/html' };
    expect(await work(page)).toMatchObject({ code: 'AUDIO_UNREADABLE', status: 'partial' });
  });

  test('B84 6 hours are refused by their size', async () => {
    const path = join(folder, 'six-hours.wav');
    const file = await open(path, 'w');
    await file.write(wavOf(silence(0), silence(0)));
    await file.truncate(44 + 6 * 3_600 * RATE * 4);
    await file.close();
    expect(await work({ path })).toMatchObject({ code: 'AUDIO_TOO_LARGE', status: 'partial', requests: [] });
  });

  test('B87 encrypted for a key of the account ends partial with its code, its media never asked for', async () => {
    const row = { encryption_details: { type: 'rsa-aes', encryption_cek: 'x', encryption_iv: 'y' } };
    expect(await work({ media: spoken(), row })).toMatchObject({ code: 'RECORDING_ENCRYPTED', status: 'partial' });
    expect(telephone.requests.at(-1)?.path).toContain('Recordings.json');
  });

  test.each([
    ['absent', 'RECORDING_ABSENT'],
    ['failed', 'RECORDING_FAILED'],
    ['deleted', 'RECORDING_DELETED'],
    ['processing', 'RECORDING_NOT_FOUND'],
  ])('F53 %s ends partial with %s', async (status, code) => {
    expect(await work({ media: spoken(), row: { status } })).toMatchObject({ code, status: 'partial', requests: [] });
  });
});

describe('a recording that is odd', () => {
  test.each([
    ['B81 an unknown length', changed([40, 0xffff_ffff, 4])],
    ['B81 no length', changed([40, 0, 4])],
    ['B81 a wrong length of the file', changed([4, 7, 4])],
  ])('%s is heard all the same', async (_name, bytes) => {
    expect(await work(bytes)).toMatchObject({ code: null, status: 'complete', lines: WORDS, flags: [] });
  });

  test.each([
    ['B81 a rate that is not its own', changed([24, 16_000, 4])],
    ['B81 one channel said, two there', changed([22, 1, 2], [32, 2, 2])],
  ])('%s gives no text that is not marked', async (_name, bytes) => {
    const turns = live(['caller', 'שלום, אני צריך עזרה', 1], ['agent', 'How can I help?', 4]);
    const { lines, code } = await work(bytes, { live: turns });
    expect(code).toBeNull();
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.every((line) => /\|(no_words|too_fast|not_in_live)/.test(line))).toBe(true);
  });

  test.each([
    ['silence', silence(10)],
    ['a tone', tone(10, 425)],
    ['a ring-back', tone(6, 440, 480)],
    ['keys of the telephone', keys(8)],
  ])('B83 F64 of %s is sent nowhere', async (_name, sound) => {
    const outcome = await work(wavOf(throughLine(sound), silence(10)));
    expect(outcome).toMatchObject({ code: 'NO_SPEECH', status: 'partial', requests: [] });
  });

  test('B83 of music on hold brings no text that is not marked, whatever the provider makes of it', async () => {
    const alone = await work(wavOf(throughLine(music(8)), silence(8)));
    expect(alone.lines.every((line) => line.endsWith('|no_words|tonal'))).toBe(true);
    invent('Thank you for watching!');
    const right = inTurn(silence(2), said('Please hold the line, thank you'));
    const beside = await work(wavOf(throughLine(music(8)), right));
    expect(beside.lines).toContain('agent|Please hold the line, thank you');
    const invented = beside.lines.filter((line) => line.includes('watching'));
    expect(invented.length).toBeGreaterThan(0);
    expect(invented.every((line) => line.endsWith('|tonal'))).toBe(true);
  });

  test('B83 of keys between words leaves the words, and says that tones were left out', async () => {
    const left = inTurn(
      silence(1),
      said('My number follows'),
      silence(1),
      throughLine(keys(4)),
      silence(1),
      said('Done'),
    );
    const { lines, flags, requests } = await work(wavOf(left, silence(1)));
    expect(lines).toEqual(['caller|My number follows', 'caller|Done']);
    expect(flags).toEqual(['tones_left_out']);
    expect(requests).toHaveLength(2);
  });

  test.each([
    ['words that nobody said', 'Thank you for watching!', 'not_in_live'],
    ['a loop', 'So. '.repeat(40), 'repetition'],
    ['our keywords', KEYWORDS.join(', '), 'prompt_echo'],
    ['a page of text', LONG_TEXT, 'too_fast'],
    ['no words', '♪ ♪', 'no_words'],
  ])('B83 F64 F65 of noise, of which the provider makes %s, has it marked', async (_name, text, flag) => {
    const noise = Int16Array.from({ length: 2 * RATE }, (_, at) => ((at * at * 7_919) % 15_991) - 8_000);
    const words = 'I would like to book an appointment for Monday, in the morning if that is possible at all';
    const bytes = wavOf(inTurn(silence(1), said(words), silence(3), noise), silence(1));
    invent(text);
    const { transcript } = await work(bytes, { live: live(['caller', words, 1]) });
    expect(transcript?.segments.map(({ text: one }) => one)).toEqual([words, text.trim()]);
    const [real, invented] = transcript?.segments ?? [];
    expect(real?.flags).toBeUndefined();
    expect(invented?.flags).toContain(flag);
    expect(transcript?.quality).toMatchObject({ flags: expect.arrayContaining([flag]), flaggedSegments: 1 });
  });

  test.each(['segments', 'channels'] as const)(
    'B84 of 25 minutes without a pause fits its requests, in mode %s',
    async (mode) => {
      const sentence = 'אני מספר לכם את כל הסיפור מן ההתחלה ועד הסוף בלי הפסקה, ';
      const talk = said(sentence.repeat(45));
      const times = Math.ceil((1_500 * RATE) / talk.length);
      const left = new Int16Array(talk.length * times);
      for (let at = 0; at < times; at += 1) left.set(talk, at * talk.length);
      const { code, transcript, requests } = await work(wavOf(left, silence(1)), { mode });
      expect(code).toBeNull();
      expect(Math.max(...requests.map(({ bytes }) => bytes))).toBeLessThan(
        mode === 'segments' ? 1_000_000 : 25_000_000,
      );
      expect(requests.every(({ status }) => status === 200)).toBe(true);
      expect(requests.length).toBeLessThanOrEqual(mode === 'segments' ? 52 : 2);
      const heard = (transcript?.text ?? '').split(sentence.trim()).length - 1;
      expect(heard).toBeGreaterThan(45 * times * 0.97); // A cut within a sentence costs that sentence.
    },
  );

  test('B86 of which one channel is empty is of one speaker', async () => {
    const { lines, flags, requests } = await work(wavOf(silence(3), inTurn(silence(1), said('Is anybody there?'))));
    expect(lines).toEqual(['agent|Is anybody there?']);
    expect(flags).toEqual([]);
    expect(requests).toHaveLength(1);
  });

  test('B86 of which both channels are the same has speakers unknown, each word once', async () => {
    const mix = inTurn(silence(1), said('One of us speaks'), silence(1), said('and then the other'));
    const { lines, flags } = await work(wavOf(mix, mix));
    expect(lines).toEqual(['unknown|One of us speaks and then the other']);
    expect(flags).toEqual(['speakers_unknown']);
  });

  test('B86 of which the channels are swapped is put right by the live transcript', async () => {
    const [caller, agent] = [
      'I need a plumber in Haifa, as soon as you can',
      'Hello, this is Acme. How can I help you today?',
    ];
    const turns = live(['agent', agent, 1], ['caller', caller, 5]);
    const bytes = wavOf(inTurn(silence(1), said(agent)), inTurn(silence(5), said(caller)));
    const { lines, flags } = await work(bytes, { live: turns });
    expect(lines).toEqual([`agent|${agent}`, `caller|${caller}`]);
    expect(flags).toEqual(['channels_swapped']);
  });

  test('B89 of 0.2 s, and one that is clipped, are no crash and no false words', async () => {
    const brief = await work(wavOf(said('a long sentence of which little is left').subarray(0, RATE / 5)));
    expect(brief.lines.join()).not.toContain('sentence');
    const loud = Int16Array.from(said('too loud'), (sample) => Math.sign(sample) * 32_767);
    const clipped = await work(wavOf(inTurn(silence(1), loud), silence(1)));
    expect([brief.code, clipped.code]).toEqual([null, null]);
  });

  test('B90 of two languages at once has both, each by its speaker, in order of their beginning', async () => {
    const left = inTurn(silence(1), said('אני רוצה לקבוע תור לשבוע הבא, אם אפשר בבוקר'), silence(1));
    const right = inTurn(silence(1), silence(1), said('Sure, let me see'), said(' أهلا وسهلا'));
    const { lines, transcript } = await work(wavOf(left, right));
    expect(lines).toEqual(['caller|אני רוצה לקבוע תור לשבוע הבא, אם אפשר בבוקר', 'agent|Sure, let me see أهلا وسهلا']);
    expect(transcript?.segments.map(({ startMs }) => startMs)).toEqual([1_000, 2_000]);
    expect(transcript?.language).toBe('he');
  });
});
