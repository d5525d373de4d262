import { describe, expect, test } from 'vitest';
import {
  callTranscribedSchema,
  createPaidSteps,
  failureOf,
  KNOWN_PRICES,
  PermanentError,
  RetryLaterError,
} from '@pipeline/contracts';
import { audioOf, CALL_SID, ended, surroundings, writeWav } from './fixtures.ts';
import { handle, handOn, type Progress, type TranscriberDeps } from './handler.ts';
import { createReport } from './report.ts';
import type { SpeechRequest } from './speech-to-text.ts';

const RATE = 8_000;
const never = new AbortController().signal;

/** Two channels with a second of noise at each time (seconds): no tone, so it may be speech. */
function recordingOf(seconds: number, left: readonly number[], right: readonly number[]) {
  const samples = new Int16Array(seconds * RATE * 2);
  const say = (at: number, channel: number, seed: number) => {
    for (let index = 0; index < RATE; index += 1) {
      samples[(at * RATE + index) * 2 + channel] = ((index * index * seed) % 15_991) - 8_000;
    }
  };
  left.forEach((at) => say(at, 0, 7_919));
  right.forEach((at) => say(at, 1, 6_101));
  const bytes = Buffer.from(writeWav(samples, RATE));
  bytes.writeUInt16LE(2, 22);
  return audioOf(bytes);
}

type Setup = Partial<Omit<TranscriberDeps, 'transcribe' | 'setup'>> & {
  setup?: Partial<TranscriberDeps['setup']>;
  recordings?: { source: ReturnType<typeof recordingOf>; offsetMs: number }[];
  texts?: (string | Error)[];
};

function depsOf({
  recordings = [{ source: recordingOf(10, [4], [1]), offsetMs: 0 }],
  texts,
  setup,
  ...more
}: Setup = {}) {
  const requests: SpeechRequest[] = [];
  const reported: Progress[] = [];
  let closed = 0;
  let clock = Date.parse('2025-12-09T10:31:00Z');
  const deps: TranscriberDeps = {
    ...surroundings(),
    openRecordings: async () => ({ recordings, close: async () => void (closed += 1) }),
    transcribe: async (request) => {
      requests.push(request);
      const text = texts === undefined ? `words ${requests.length}` : (texts[requests.length - 1] ?? '');
      if (text instanceof Error) throw text;
      return { text, language: 'he', usage: { audioSeconds: 1.5 } };
    },
    report: (progress) => void reported.push(progress),
    now: () => (clock += 250),
    setup: { ...surroundings().setup, concurrency: 1, ...setup },
    prices: KNOWN_PRICES,
    ...more,
  };
  return { deps, requests, reported, closed: () => closed };
}

describe('the transcriber', () => {
  test('hands on the call with its transcript by speaker, all it was given, and the next id', async () => {
    const { deps } = depsOf();
    const [event, ...others] = await handle(ended, deps, never);
    expect(others).toEqual([]);
    expect(callTranscribedSchema.parse(event)).toEqual(event);
    expect(event).toMatchObject({
      type: 'call.transcribed',
      id: `${CALL_SID}:transcriber:r3`,
      revision: 3,
      data: {
        ...ended.data,
        transcript: {
          text: 'agent: words 1\ncaller: words 2',
          language: 'he',
          segments: [
            { speaker: 'agent', startMs: 1_000, endMs: 2_000, text: 'words 1' },
            { speaker: 'caller', startMs: 4_000, endMs: 5_000, text: 'words 2' },
          ],
        },
        stages: {
          transcriber: {
            state: 'done',
            code: null,
            model: 'gpt-transcribe',
            attempts: 2,
            ms: 250,
            usage: { requests: 2, audioSeconds: 3 },
          },
        },
      },
    });
    expect(event).not.toHaveProperty('attempt');
  });

  test('asks with the language and the keywords of the business', async () => {
    const { deps, requests } = depsOf();
    await handle(ended, deps, never);
    expect(requests[0]).toMatchObject({ language: 'he', keywords: ['שיפוצים'] });
  });

  test('places a second recording after the first one', async () => {
    const recordings = [
      { source: recordingOf(5, [1], []), offsetMs: 0 },
      { source: recordingOf(5, [], [1]), offsetMs: 30_000 },
    ];
    const [event] = await handle(ended, depsOf({ recordings }).deps, never);
    expect(event).toMatchObject({ data: { transcript: { segments: [{ startMs: 1_000 }, { startMs: 31_000 }] } } });
  });

  test('pays nothing for a recording in which nobody speaks', async () => {
    const { deps, requests, closed } = depsOf({ recordings: [{ source: recordingOf(5, [], []), offsetMs: 0 }] });
    await expect(handle(ended, deps, never)).rejects.toMatchObject({ name: 'PermanentError', code: 'NO_SPEECH' });
    expect(requests).toEqual([]);
    expect(closed()).toBe(1);
  });

  test('F63 says NO_SPEECH and what was paid when no words come back, never an empty transcript', async () => {
    const { deps } = depsOf({ texts: [' ', '\n'] });
    const spent = { model: 'gpt-transcribe', usage: { requests: 2, audioSeconds: 3 } };
    await expect(handle(ended, deps, never)).rejects.toMatchObject({ code: 'NO_SPEECH', spent });
  });

  test('gives the disk back whatever happens', async () => {
    const { deps, closed } = depsOf({ texts: [new RetryLaterError('busy')] });
    await expect(handle(ended, deps, never)).rejects.toBeInstanceOf(RetryLaterError);
    expect(closed()).toBe(1);
  });

  test('refuses a transcript that no document could hold', async () => {
    const times = Array.from({ length: 20 }, (_, index) => 4 * index);
    const recordings = [{ source: recordingOf(80, times, []), offsetMs: 0 }];
    const { deps } = depsOf({ recordings, texts: times.map(() => 'word '.repeat(19_000)) });
    await expect(handle(ended, deps, never)).rejects.toMatchObject({ code: 'EVENT_TOO_LARGE' });
    const long = depsOf({ texts: ['word '.repeat(30_000), 'end'] });
    await expect(handle(ended, long.deps, never)).rejects.toMatchObject({ code: 'EVENT_TOO_LARGE' });
  });

  test('I6 pays only for what is missing when the call comes again', async () => {
    const { deps, requests } = depsOf({ texts: ['one', new RetryLaterError('busy'), 'two'] });
    await expect(handle(ended, deps, never)).rejects.toThrow('busy');
    const [event] = await handle(ended, deps, never);
    expect(requests).toHaveLength(3);
    expect(event).toMatchObject({
      data: { transcript: { text: 'agent: one\ncaller: two' }, stages: { transcriber: { usage: { requests: 2 } } } },
    });
  });

  test.each([
    ['cannot read', 'PROVIDER_REJECTED'],
    ['filters the words of', 'PROVIDER_REFUSED'],
    ['gives no text for', 'OUTPUT_INVALID'],
  ] as const)('leaves a gap where the provider %s a single stretch, and says so', async (_what, code) => {
    const { deps } = depsOf({ texts: [new PermanentError(code), 'words'] });
    const [event] = await handle(ended, deps, never);
    expect(event).toMatchObject({
      data: { transcript: { text: 'caller: words', quality: { flags: ['parts_missing'], flaggedSegments: 0 } } },
    });
  });

  test('has no transcript when the provider refuses every stretch, and does not ask for all of a long call to see that', async () => {
    const refusals = Array.from({ length: 20 }, () => new PermanentError('PROVIDER_REJECTED'));
    const both = depsOf({ texts: refusals });
    await expect(handle(ended, both.deps, never)).rejects.toMatchObject({ code: 'PROVIDER_REJECTED' });
    const times = Array.from({ length: 20 }, (_, at) => 4 * at);
    const long = depsOf({ texts: refusals, recordings: [{ source: recordingOf(80, times, []), offsetMs: 0 }] });
    await expect(handle(ended, long.deps, never)).rejects.toMatchObject({ code: 'PROVIDER_REJECTED' });
    expect(long.requests).toHaveLength(3);
  });

  test.each([
    ['for good', new PermanentError('PROVIDER_REJECTED'), 'PermanentError'],
    ['for now', new RetryLaterError('busy'), 'RetryLaterError'],
  ])('says what was paid before a provider refuses %s', async (_name, refusal, name) => {
    const times = Array.from({ length: 6 }, (_, at) => 4 * at);
    const recordings = [{ source: recordingOf(30, times, []), offsetMs: 0 }];
    const { deps } = depsOf({ recordings, texts: ['one', 'two', ...Array.from({ length: 4 }, () => refusal)] });
    const spent = { model: 'gpt-transcribe', usage: { requests: 2, audioSeconds: 3 } };
    await expect(handle(ended, deps, never)).rejects.toMatchObject({ name, spent });
  });

  test('asks, when a call comes again after a failure, for the missing stretches alone', async () => {
    const times = Array.from({ length: 4 }, (_, at) => 4 * at);
    const recordings = [{ source: recordingOf(20, times, []), offsetMs: 0 }];
    const outcomes = new Map<string, unknown>();
    const busy = depsOf({
      recordings,
      texts: ['one', 'two', new RetryLaterError('busy')],
      paid: createPaidSteps(outcomes),
    });
    await expect(handle(ended, busy.deps, never)).rejects.toThrow('busy');
    const later = depsOf({ recordings, texts: ['three', 'four'], paid: createPaidSteps(outcomes) });
    const [event] = await handle(ended, later.deps, never);
    expect(event).toMatchObject({
      data: {
        transcript: { text: ['one', 'two', 'three', 'four'].map((words) => `caller: ${words}`).join('\n') },
        stages: { transcriber: { usage: { requests: 4, audioSeconds: 6 } } },
      },
    });
    expect(later.requests).toHaveLength(2);
  });

  test('in mode channels asks once for each speaker', async () => {
    const recordings = [{ source: recordingOf(30, [4, 12, 20], [1, 8, 25]), offsetMs: 0 }];
    const { deps, requests } = depsOf({ recordings, setup: { mode: 'channels' } });
    const [event] = await handle(ended, deps, never);
    expect(requests).toHaveLength(2);
    expect(event).toMatchObject({
      data: {
        transcript: {
          segments: [
            { speaker: 'agent', startMs: 1_000, endMs: 26_000 },
            { speaker: 'caller', startMs: 4_000, endMs: 21_000 },
          ],
        },
      },
    });
  });

  test.each([
    ['channels_swapped', [1], [], 'agent', 'agent', 'shows the channels the other way round'],
    ['channels_doubtful', [], [1], 'caller', 'agent', 'but not clearly'],
  ] as const)('B86 warns of %s', async (flag, left, right, speaker, label, warning) => {
    const text = 'I say what I was given to say, word by word and line by line';
    const turns = [
      { speaker, text, startMs: 0 },
      { speaker: 'agent' as const, text: 'Now it is my turn, as it seems to be', startMs: 9_000 },
    ];
    const warnings: string[] = [];
    const report = createReport({ info: () => {}, warn: (_fields, message) => void warnings.push(message) });
    const { deps } = depsOf({
      recordings: [{ source: recordingOf(4, left, right), offsetMs: 0 }],
      report,
      texts: [text],
    });
    const [event] = await handle({ ...ended, data: { ...ended.data, liveTranscript: turns } }, deps, never);
    expect(event).toMatchObject({ data: { transcript: { text: `${label}: ${text}`, quality: { flags: [flag] } } } });
    expect(warnings).toEqual([expect.stringContaining(warning)]);
  });

  test.each([
    ['keywords', 'refuses the keywords of this business'],
    ['language', 'refuses the language of this business'],
  ] as const)('warns of %s that the provider refuses, with the business and without its words', async (hint, text) => {
    const warnings: unknown[] = [];
    const report = createReport({ info: () => {}, warn: (fields, message) => void warnings.push([fields, message]) });
    const { deps } = depsOf({ report });
    const transcribe: TranscriberDeps['transcribe'] = (request, signal) => {
      if (request.keywords.includes('שיפוצים')) request.onRefusedHint?.(hint);
      return deps.transcribe(request, signal);
    };
    await handle(ended, { ...deps, transcribe }, never);
    expect(warnings).toContainEqual([
      { callSid: CALL_SID, businessId: ended.businessId, reason: hint },
      expect.stringContaining(text),
    ]);
    expect(JSON.stringify(warnings)).not.toContain('שיפוצים');
  });

  test('lets the reason pass when there is no recording', async () => {
    const missing = new PermanentError('RECORDING_ABSENT');
    const { deps, reported } = depsOf({ openRecordings: () => Promise.reject(missing) });
    await expect(handle(ended, deps, never)).rejects.toBe(missing);
    expect(reported).toEqual([]);
  });

  test('says of a call that nobody took that nothing can have been recorded, and of any other that it may', async () => {
    const sought: unknown[] = [];
    const openRecordings: TranscriberDeps['openRecordings'] = (call) => {
      sought.push(call);
      return Promise.reject(new PermanentError('RECORDING_ABSENT'));
    };
    const { deps } = depsOf({ openRecordings });
    const { call } = ended.data;
    const missed = { ...ended.data, call: { ...call, endedReason: 'no_answer' }, liveTranscript: null };
    for (const each of [ended.data, missed])
      await expect(handle({ ...ended, data: each }, deps, never)).rejects.toMatchObject({ code: 'RECORDING_ABSENT' });
    const known = { callSid: CALL_SID, attempt: 2 };
    expect(sought).toEqual([
      { ...known, mayBeRecorded: true },
      { ...known, mayBeRecorded: false },
    ]);
  });

  test('tells operators the two lines that they look for', async () => {
    const lines: string[] = [];
    const report = createReport({ info: (_fields, message) => void lines.push(message), warn: () => {} });
    await handle(ended, depsOf({ report, texts: ['א'.repeat(10), 'ב'.repeat(20)] }).deps, never);
    expect(lines).toEqual([
      `[OFFLINE_STT] Starting offline transcription for ${CALL_SID}`,
      '[OFFLINE_STT] ✅ Transcript obtained: 46 chars',
    ]);
  });
});

describe('a call whose transcript failed', () => {
  test('goes on with no transcript, the reason, and all it was given', async () => {
    const [event, ...others] = await handOn(ended, failureOf('RECORDING_NOT_FOUND'), depsOf().deps, never);
    expect(others).toEqual([]);
    expect(callTranscribedSchema.parse(event)).toEqual(event);
    expect(event).toMatchObject({
      type: 'call.transcribed',
      id: `${CALL_SID}:transcriber:r3`,
      data: {
        ...ended.data,
        transcript: null,
        stages: { transcriber: { state: 'skipped', code: 'RECORDING_NOT_FOUND', attempts: 2, model: null } },
      },
    });
  });
});
